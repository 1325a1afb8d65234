// Which heads are calibrated: a sorted set of (layer, head) pairs, and the heads of one layer taken from it.
// For callers who found heads with a search, or know them. No input or output: heads files are another
// layer's.
#pragma once

#include <act/version.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

namespace act::inline ACT_ABI {

/// One head of a model, both numbers 0-based.
struct layer_head {
  std::size_t layer = 0;  ///< from 0
  std::size_t head = 0;   ///< of that layer, from 0

  /// By layer, then head.
  friend auto operator<=>(const layer_head&, const layer_head&) = default;
};

/// Heads of one layer. Build it once per model, not per call: it owns its list.
class layer_heads {
 public:
  layer_heads() = default;
  /// @param heads their numbers, from 0, in any order; repeated ones count once
  layer_heads(std::initializer_list<std::size_t> heads) : layer_heads(std::vector<std::size_t>(heads)) {}
  /// @param heads as above
  explicit layer_heads(std::vector<std::size_t> heads) : heads_(std::move(heads)) {
    std::sort(heads_.begin(), heads_.end());
    heads_.erase(std::unique(heads_.begin(), heads_.end()), heads_.end());
  }

  /// Every head of the layer, however many it has.
  /// @return a set without a list
  [[nodiscard]] static layer_heads all() {
    layer_heads every;
    every.all_ = true;
    return every;
  }

  /// @param head a head of the layer
  /// @return whether it is in the set
  [[nodiscard]] bool contains(std::size_t head) const noexcept {
    return all_ || std::binary_search(heads_.begin(), heads_.end(), head);
  }
  /// @return whether no head is in it
  [[nodiscard]] bool empty() const noexcept { return !all_ && heads_.empty(); }
  /// @return whether it is all()
  [[nodiscard]] bool is_all() const noexcept { return all_; }

  /// @param heads how many heads the layer has
  /// @return how many of them are meant
  [[nodiscard]] std::size_t count(std::size_t heads) const noexcept { return all_ ? heads : heads_.size(); }
  /// @param index less than count()
  /// @return the index-th head, in ascending order
  [[nodiscard]] std::size_t at(std::size_t index) const noexcept { return all_ ? index : heads_[index]; }
  /// @param head one of the set
  /// @return the index that at() finds it by
  [[nodiscard]] std::size_t index_of(std::size_t head) const noexcept {
    if (all_) return head;
    return static_cast<std::size_t>(std::lower_bound(heads_.begin(), heads_.end(), head) - heads_.begin());
  }

  /// The same heads; all() equals no list.
  friend bool operator==(const layer_heads&, const layer_heads&) = default;

 private:
  std::vector<std::size_t> heads_;  // sorted, unique; unused when all_
  bool all_ = false;
};

/// Sorted, without duplicates.
class head_set {
 public:
  /// Goes through layer_head objects in ascending order.
  using const_iterator = std::vector<layer_head>::const_iterator;

  head_set() = default;
  /// @param heads in any order; repeated ones count once
  head_set(std::initializer_list<layer_head> heads) {
    for (const layer_head& each : heads)
      insert(each);
  }

  /// @param added a head of the model
  /// @return false when it was there already
  bool insert(layer_head added) {
    const auto place = std::lower_bound(heads_.begin(), heads_.end(), added);
    if (place != heads_.end() && *place == added) return false;
    heads_.insert(place, added);
    return true;
  }
  /// @param layer,head a head of the model
  /// @return false when it was there already
  bool insert(std::size_t layer, std::size_t head) { return insert(layer_head{layer, head}); }

  /// @param wanted a head of the model
  /// @return whether it is in the set
  [[nodiscard]] bool contains(layer_head wanted) const noexcept {
    return std::binary_search(heads_.begin(), heads_.end(), wanted);
  }
  /// @param layer,head a head of the model
  /// @return whether it is in the set
  [[nodiscard]] bool contains(std::size_t layer, std::size_t head) const noexcept {
    return contains(layer_head{layer, head});
  }

  /// @return how many heads are in it
  [[nodiscard]] std::size_t size() const noexcept { return heads_.size(); }
  /// @return whether no head is in it
  [[nodiscard]] bool empty() const noexcept { return heads_.empty(); }
  /// @return the first head
  [[nodiscard]] const_iterator begin() const noexcept { return heads_.begin(); }
  /// @return behind the last head
  [[nodiscard]] const_iterator end() const noexcept { return heads_.end(); }

  /// The heads of `layer`, in the form that calibrate() takes.
  /// @param layer from 0
  /// @return its heads, possibly none; a new list
  [[nodiscard]] layer_heads in_layer(std::size_t layer) const {
    std::vector<std::size_t> found;
    for (auto each = std::lower_bound(heads_.begin(), heads_.end(), layer_head{layer, 0});
         each != heads_.end() && each->layer == layer; ++each) {
      found.push_back(each->head);
    }
    return layer_heads(std::move(found));
  }

  /// The same heads.
  friend bool operator==(const head_set&, const head_set&) = default;

 private:
  std::vector<layer_head> heads_;
};

}  // namespace act::inline ACT_ABI
