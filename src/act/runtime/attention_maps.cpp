#include <act/attention_workspace.hpp>
#include <act/head_tensor.hpp>
#include <act/runtime/attention_maps.hpp>
#include <act/runtime/layers/core_attention.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace act::runtime {

struct map_rows_memory::buffers {
  attention_workspace<float> workspace;
  std::vector<float> rows;
};

map_rows_memory::map_rows_memory() : buffers_(std::make_unique<buffers>()) {}
map_rows_memory::map_rows_memory(map_rows_memory&&) noexcept = default;
map_rows_memory& map_rows_memory::operator=(map_rows_memory&&) noexcept = default;
map_rows_memory::~map_rows_memory() = default;

attention_view<float> map_rows(const attention_shape& shape, const attention_sequence& sequence,
                               const const_matrix_ref& query, const const_matrix_ref& key, std::size_t head,
                               std::size_t first, map_rows_memory& memory) {
  const auto one_head = [&](const const_matrix_ref& of, std::size_t row, std::size_t rows,
                            std::size_t number) {
    const std::size_t stride = of.stride();
    return head_tensor<const float>{.data = of.data() + row * stride + number * shape.head_size,
                                    .batches = 1,
                                    .heads = 1,
                                    .tokens = rows,
                                    .channels = shape.head_size,
                                    .token_stride = stride};
  };
  map_rows_memory::buffers& with = *memory.buffers_;
  const std::size_t rows = std::min(map_rows_at_once, sequence.queries - first);
  const std::size_t keys = first + rows;
  with.rows.resize(std::max(with.rows.size(), rows * keys));
  const auto map = attention_span<float>::packed(with.rows.data(), 1, 1, rows, keys,
                                                 {.query_offset = first, .window = shape.window});
  const auto slopes = shape.slopes.empty() ? shape.slopes : shape.slopes.subspan(head, 1);
  core_attention_weights(one_head(query, sequence.first_query + first, rows, head),
                         one_head(key, sequence.first_key, keys, head / (shape.heads / shape.kv_heads)), map,
                         {.scale = static_cast<double>(shape.scale),
                          .soft_cap = static_cast<double>(shape.soft_cap),
                          .slopes = slopes},
                         with.workspace);
  return map;
}

}  // namespace act::runtime
