// Keys and values of one layer as a cache holds them, in one element type. For kv_cache.hpp.
#pragma once

#include <act/attention_view.hpp>
#include <act/element.hpp>
#include <act/runtime/layers/aligned_vector.hpp>
#include <act/runtime/layers/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace act::runtime {

/// A head's keys, or values, lie one after another: attention reads them in one stretch of memory.
template <class T>
class cached_rows {
 public:
  /// Every position takes `heads` rows of keys and as many of values, `width` numbers each; of keys only
  /// those of `kept` where it isn't empty.
  cached_rows(std::size_t heads, std::size_t width, std::span<const std::size_t> kept = {})
      : heads_(heads), width_(width), kept_(kept.begin(), kept.end()) {
    key_heads_ = kept_.size();
    if (kept_.empty()) {
      key_heads_ = heads;
      kept_.resize(heads);
      std::iota(kept_.begin(), kept_.end(), std::size_t{0});
    }
    for (std::size_t head = 0; head < heads; ++head)
      kept_.push_back(heads + head);
  }

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// Numbers from one head's keys, or values, to the next one's.
  [[nodiscard]] std::size_t head_stride() const noexcept { return capacity_ * width_; }
  /// `place`: the head's among those whose keys are kept.
  [[nodiscard]] const T* keys(std::size_t place) const noexcept { return row(place, 0); }
  [[nodiscard]] const T* values(std::size_t head) const noexcept { return row(key_heads_ + head, 0); }

  /// Room for `needed` positions: twice as many as there are where that is more, but at most `most`.
  void reserve(std::size_t needed, std::size_t most) {
    if (needed <= capacity_) return;
    cached_rows larger(heads_, width_, std::span(kept_).first(key_heads_));
    larger.capacity_ = std::min(std::max(needed, 2 * count_), most);
    larger.numbers_.resize(kept_.size() * larger.capacity_ * width_);
    larger.count_ = count_;
    for (std::size_t head = 0; head < kept_.size(); ++head)
      std::copy_n(row(head, 0), count_ * width_, larger.row(head, 0));
    *this = std::move(larger);
  }

  /// Adds positions, [rows, 2 heads width]: each one's keys, then its values. Returns whether `T` holds every
  /// number: what is finite stays finite. Precondition: there is room.
  [[nodiscard]] bool append(const const_matrix_ref& key_value) noexcept {
    bool holds = true;
    for (std::size_t place = 0; place < kept_.size(); ++place) {
      T* to = row(place, count_);
      for (std::size_t i = 0; i < key_value.rows(); ++i, to += width_)
        holds = store(key_value.row(i).data() + kept_[place] * width_, to) && holds;
    }
    count_ += key_value.rows();
    return holds;
  }

  /// Takes these positions out; later ones move down.
  void evict(const key_range& gone) noexcept {
    // To lower places, so copying in order never overwrites what is still to be copied.
    for (std::size_t head = 0; head < kept_.size(); ++head)
      std::copy_n(row(head, gone.end), (count_ - gone.end) * width_, row(head, gone.begin));
    count_ -= gone.size();
  }

  void truncate(std::size_t count) noexcept { count_ = std::min(count_, count); }

 private:
  [[nodiscard]] T* row(std::size_t head, std::size_t position) noexcept {
    return numbers_.data() + (head * capacity_ + position) * width_;
  }
  [[nodiscard]] const T* row(std::size_t head, std::size_t position) const noexcept {
    return numbers_.data() + (head * capacity_ + position) * width_;
  }

  bool store(const float* from, T* to) const noexcept {
    if constexpr (std::is_same_v<T, float>) {
      std::copy_n(from, width_, to);
      return true;
    } else {
      bool holds = true;
      for (std::size_t c = 0; c < width_; ++c) {
        to[c] = element_traits<T>::store(from[c]);
        holds = holds && (std::isfinite(element_traits<T>::load(to[c])) || !std::isfinite(from[c]));
      }
      return holds;
    }
  }

  std::size_t heads_, width_, key_heads_ = 0;
  std::vector<std::size_t> kept_;         // of a layer's keys and values side by side, those that are kept
  std::size_t capacity_ = 0, count_ = 0;  // positions
  aligned_vector<T> numbers_;
};

}  // namespace act::runtime
