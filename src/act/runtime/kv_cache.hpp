// Keys and values of the positions that a sequence has behind it: what decoding attends to instead of running
// the whole sequence again for each new token. One sequence; no paging, no eviction.
#pragma once

#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/model.hpp>

#include <cstddef>
#include <vector>

namespace act::runtime {

/// Rows of [keys | values] for each layer, as `layer_buffers::key_value` has them: keys rotated. Memory: 8
/// kv_heads head_size bytes a position and layer, doubled whenever it is full. Copying forks the sequence.
class kv_cache {
 public:
  explicit kv_cache(const model_config& config);

  /// Positions that every layer holds.
  [[nodiscard]] std::size_t positions() const noexcept { return layers_.empty() ? 0 : layers_.back().count; }

  /// What attention sees of `layer`; valid until the layer's next append. Precondition: the layer exists.
  [[nodiscard]] past_positions past(std::size_t layer) const noexcept;

  /// Adds a layer's new positions, [rows, 2 kv_heads head_size]. Throws `error` (invalid_shape) for rows of
  /// another width.
  void append(std::size_t layer, const const_matrix_ref& key_value);

  /// Forgets every position from `count` on; the memory stays.
  void truncate(std::size_t count) noexcept;

 private:
  struct stored {
    matrix rows;  // [capacity, 2 width]
    std::size_t count = 0;
  };
  std::size_t width_;
  std::vector<stored> layers_;
};

}  // namespace act::runtime
