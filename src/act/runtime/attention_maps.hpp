// The softmaxed attention of a layer that has run, a few rows of a map at a time.
//
// For those who look at attention (inspection/). The forward pass needs no map: here its rows are formed once
// more by the core (attention_weights.hpp) from the queries and keys that run_layer leaves behind, so a
// prompt of any length is looked at with the memory of a block of rows.
#pragma once

#include <act/attention_view.hpp>
#include <act/attention_weights.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace act::runtime {

/// Rows of a map that are formed at once: 64 rows of a 2,048-token prompt are 512 KiB, half an L2.
inline constexpr std::size_t map_rows_at_once = 64;

/// What `for_each_map_rows` works in, kept from map to map.
struct map_rows_memory {
  attention_workspace<float> workspace;
  std::vector<float> rows;
};

/// Calls use(rows) for consecutive rows of one head's causal map, first to last. `rows` is an
/// attention_view<float> of [1, 1, at most map_rows_at_once, keys up to the last row's own], with the first
/// row's position as its query_offset; weights behind a row's own key are 0, a row's sum is 1. A row with a
/// score that isn't finite is NaN as far as it sees.
///
/// `query` ([rows, heads head_size]) and `key` ([rows, kv_heads head_size]) are layer_buffers::query and the
/// left half of layer_buffers::key_value after run_layer with rows_wanted::all: rotated, not yet scaled.
/// `sequence` says where the prompt lies in them; it has no past, and queries = keys. Cost: tokens^2 / 2 *
/// head_size multiplications.
template <class Use>
requires(std::is_nothrow_invocable_v<Use&, const attention_view<float>&>) void for_each_map_rows(
    const attention_shape& shape, const attention_sequence& sequence, const const_matrix_ref& query,
    const const_matrix_ref& key, std::size_t head, map_rows_memory& memory, Use&& use) {
  const auto one_head = [&](const const_matrix_ref& of, std::size_t row, std::size_t rows,
                            std::size_t number) {
    const std::size_t stride = extent(of.outerStride());
    return head_tensor<const float>{.data = of.data() + row * stride + number * shape.head_size,
                                    .batches = 1,
                                    .heads = 1,
                                    .tokens = rows,
                                    .channels = shape.head_size,
                                    .token_stride = stride};
  };
  for (std::size_t first = 0; first < sequence.queries; first += map_rows_at_once) {
    const std::size_t rows = std::min(map_rows_at_once, sequence.queries - first);
    const std::size_t keys = first + rows;
    memory.rows.resize(std::max(memory.rows.size(), rows * keys));
    const auto map =
        attention_span<float>::packed(memory.rows.data(), 1, 1, rows, keys, {.query_offset = first});
    attention_weights(one_head(query, sequence.first_query + first, rows, head),
                      one_head(key, sequence.first_key, keys, head / (shape.heads / shape.kv_heads)), map,
                      {.scale = static_cast<double>(shape.scale)}, memory.workspace);
    use(attention_view<float>(map));
  }
}

}  // namespace act::runtime
