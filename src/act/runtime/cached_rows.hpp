// Keys and values of one layer as a cache holds them, in one element type. For kv_cache.hpp.
#pragma once

#include <act/attention_view.hpp>
#include <act/element.hpp>
#include <act/runtime/layers/aligned_vector.hpp>
#include <act/runtime/layers/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace act::runtime {

/// A head's keys, or values, lie one after another: attention reads them in one stretch of memory.
template <class T>
class cached_rows {
 public:
  /// Every position takes `heads` rows of keys and as many of values, `width` numbers each.
  cached_rows(std::size_t heads, std::size_t width) : heads_(heads), width_(width) {}

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// Numbers from one head's keys, or values, to the next one's.
  [[nodiscard]] std::size_t head_stride() const noexcept { return capacity_ * width_; }
  [[nodiscard]] const T* keys(std::size_t head) const noexcept { return row(head, 0); }
  [[nodiscard]] const T* values(std::size_t head) const noexcept { return row(heads_ + head, 0); }

  /// Room for `needed` positions: twice as many as there are where that is more, but at most `most`.
  void reserve(std::size_t needed, std::size_t most) {
    if (needed <= capacity_) return;
    cached_rows larger(heads_, width_);
    larger.capacity_ = std::min(std::max(needed, 2 * count_), most);
    larger.numbers_.resize(2 * heads_ * larger.capacity_ * width_);
    larger.count_ = count_;
    for (std::size_t head = 0; head < 2 * heads_; ++head)
      std::copy_n(row(head, 0), count_ * width_, larger.row(head, 0));
    *this = std::move(larger);
  }

  /// Adds positions, [rows, 2 heads width]: each one's keys, then its values. Returns whether `T` holds every
  /// number: what is finite stays finite. Precondition: there is room.
  [[nodiscard]] bool append(const const_matrix_ref& key_value) noexcept {
    bool holds = true;
    for (std::size_t head = 0; head < 2 * heads_; ++head) {
      T* to = row(head, count_);
      for (std::size_t i = 0; i < key_value.rows(); ++i, to += width_)
        holds = store(key_value.row(i).data() + head * width_, to) && holds;
    }
    count_ += key_value.rows();
    return holds;
  }

  /// Takes these positions out; later ones move down.
  void evict(const key_range& gone) noexcept {
    // To lower places, so copying in order never overwrites what is still to be copied.
    for (std::size_t head = 0; head < 2 * heads_; ++head)
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

  std::size_t heads_, width_;
  std::size_t capacity_ = 0, count_ = 0;  // positions
  aligned_vector<T> numbers_;
};

}  // namespace act::runtime
