// Keys and values of the positions that a sequence has behind it: what decoding attends to instead of running
// the whole sequence again for each new token. One sequence; no paging, no eviction.
#pragma once

#include <act/error.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/model.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace act::runtime {

/// Rows of [keys | values] for each layer, as `layer_buffers::key_value` has them: keys rotated. Memory: 8
/// kv_heads head_size bytes a position and layer, doubled whenever it is full. Copying forks the sequence.
class kv_cache {
 public:
  explicit kv_cache(const model_config& config)
      : width_(config.kv_heads * config.head_size), layers_(config.layers) {}

  /// Positions that every layer holds.
  [[nodiscard]] std::size_t positions() const noexcept { return layers_.empty() ? 0 : layers_.back().count; }

  /// What attention sees of `layer`; valid until the layer's next append. Precondition: the layer exists.
  [[nodiscard]] past_positions past(std::size_t layer) const noexcept {
    const stored& of = layers_[layer];
    if (of.count == 0) return {};
    return {
        .keys = of.rows.data(), .values = of.rows.data() + width_, .count = of.count, .stride = 2 * width_};
  }

  /// Adds a layer's new positions, [rows, 2 kv_heads head_size]. Throws `error` (invalid_shape) for rows of
  /// another width.
  void append(std::size_t layer, const const_matrix_ref& key_value) {
    if (layer >= layers_.size() || extent(key_value.cols()) != 2 * width_) {
      throw error(error_code::invalid_shape, "key_value",
                  "isn't a layer's rows of " + std::to_string(2 * width_) + " numbers");
    }
    stored& into = layers_[layer];
    const std::size_t needed = into.count + extent(key_value.rows());
    if (needed > extent(into.rows.rows())) {
      into.rows.conservativeResize(index(std::max(needed, 2 * into.count)), index(2 * width_));
    }
    into.rows.middleRows(index(into.count), key_value.rows()) = key_value;
    into.count = needed;
  }

  /// Forgets every position from `count` on; the memory stays.
  void truncate(std::size_t count) noexcept {
    for (stored& each : layers_)
      each.count = std::min(each.count, count);
  }

 private:
  struct stored {
    matrix rows;  // [capacity, 2 width]
    std::size_t count = 0;
  };
  std::size_t width_;
  std::vector<stored> layers_;
};

}  // namespace act::runtime
