// The softmaxed attention of a layer that has run, a few rows of a map at a time.
//
// For those who look at attention (inspection/). The forward pass needs no map: here its rows are formed once
// more by the core (attention_weights.hpp) from the queries and keys that run_layer leaves behind, so a
// prompt of any length is looked at with the memory of a block of rows.
#pragma once

#include <act/attention_view.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/matrix.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>

namespace act::runtime {

/// Rows of a map that are formed at once: 64 rows of a 2,048-token prompt are 512 KiB, half an L2.
inline constexpr std::size_t map_rows_at_once = 64;

/// What `for_each_map_rows` works in, kept from map to map. Move-only.
class map_rows_memory {
 public:
  map_rows_memory();
  map_rows_memory(map_rows_memory&&) noexcept;
  map_rows_memory& operator=(map_rows_memory&&) noexcept;
  ~map_rows_memory();

 private:
  friend attention_view<float> map_rows(const attention_shape& shape, const attention_sequence& sequence,
                                        const const_matrix_ref& query, const const_matrix_ref& key,
                                        std::size_t head, std::size_t first, map_rows_memory& memory);
  struct buffers;
  std::unique_ptr<buffers> buffers_;
};

/// Rows [first, first + map_rows_at_once) of a map, as far as there are: what `for_each_map_rows` hands out.
/// Valid until `memory` is used again.
[[nodiscard]] attention_view<float> map_rows(const attention_shape& shape, const attention_sequence& sequence,
                                             const const_matrix_ref& query, const const_matrix_ref& key,
                                             std::size_t head, std::size_t first, map_rows_memory& memory);

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
  for (std::size_t first = 0; first < sequence.queries; first += map_rows_at_once)
    use(map_rows(shape, sequence, query, key, head, first, memory));
}

}  // namespace act::runtime
