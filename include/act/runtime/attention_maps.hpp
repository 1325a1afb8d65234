// The softmaxed attention of a layer that has run, a few rows of a map at a time.
//
// For those who look at attention (inspection/). Not how the forward pass computes it: that is
// layers/attention.hpp, which needs no map. Here it is formed once more from the queries and keys that
// run_layer leaves behind, so a prompt of any length is looked at with the memory of a block of rows.
#pragma once

#include <act/attention_view.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <algorithm>
#include <cstddef>
#include <limits>
#include <type_traits>

namespace act::inline ACT_ABI {

/// Rows of a map that are formed at once: 64 rows of a 2,048-token prompt are 512 KiB, half an L2.
inline constexpr std::size_t map_rows_at_once = 64;

/// Floats that `for_each_map_rows` works in for a prompt of `tokens`.
[[nodiscard]] constexpr std::size_t map_block_size(std::size_t tokens) noexcept {
  return std::min(tokens, map_rows_at_once) * tokens;
}

/// Calls use(rows) for consecutive rows of one head's causal map, first to last. `rows` is an
/// attention_view<float> of [1, 1, at most map_rows_at_once, keys up to the last row's own], with the first
/// row's position as its query_offset; weights behind a row's own key are 0, a row's sum is 1. A
/// block with a score that isn't finite is all NaN.
///
/// `query` ([rows, heads head_size]) and `key` ([rows, kv_heads head_size]) are layer_buffers::query and the
/// left half of layer_buffers::key_value after run_layer with rows_wanted::all: rotated, not yet scaled.
/// `sequence` says where the prompt lies in them; it has no past, and queries = keys. `block` has at least
/// map_block_size(queries) floats (a row_vector: sums over memory that Eigen has aligned are the same
/// wherever it lies). Softmax in float with the row's largest score taken off first. Cost: tokens^2 head_size
/// multiplications (half of the square, both of its factors).
template <class Use>
requires(std::is_nothrow_invocable_v<Use&, const attention_view<float>&>) void for_each_map_rows(
    const attention_shape& shape, const attention_sequence& sequence, const const_matrix_ref& query,
    const const_matrix_ref& key, std::size_t head, row_vector& block, Use&& use) {
  const Eigen::Index size = index(shape.head_size);
  const Eigen::Index query_column = index(head * shape.head_size);
  const Eigen::Index key_column = index(head / (shape.heads / shape.kv_heads) * shape.head_size);
  for (std::size_t first = 0; first < sequence.queries; first += map_rows_at_once) {
    const std::size_t rows = std::min(map_rows_at_once, sequence.queries - first);
    const std::size_t keys = first + rows;
    Eigen::Map<matrix> weights(block.data(), index(rows), index(keys));
    weights.noalias() = query.block(index(sequence.first_query + first), query_column, index(rows), size) *
                        key.block(index(sequence.first_key), key_column, index(keys), size).transpose();
    const bool finite = weights.allFinite();  // a vectorised exp may turn a NaN into a number
    if (!finite) weights.setConstant(std::numeric_limits<float>::quiet_NaN());
    for (std::size_t row = 0; finite && row < rows; ++row) {
      const Eigen::Index seen = index(first + row + 1);
      auto scores = weights.row(index(row)).head(seen).array();
      const float largest = scores.maxCoeff();
      scores = ((scores - largest) * shape.scale).exp();
      scores /= scores.sum();
      weights.row(index(row)).tail(index(keys) - seen).setZero();
    }
    use(attention_view<float>::packed(weights.data(), 1, 1, rows, keys, {.query_offset = first}));
  }
}

}  // namespace act::inline ACT_ABI
