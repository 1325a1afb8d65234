#include <act/error.hpp>
#include <act/runtime/kv_cache.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/model.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace act::runtime {

kv_cache::kv_cache(const model_config& config)
    : width_(config.kv_heads * config.head_size), layers_(config.layers) {}

past_positions kv_cache::past(std::size_t layer) const noexcept {
  const stored& of = layers_[layer];
  if (of.count == 0) return {};
  return {.keys = of.rows.data(), .values = of.rows.data() + width_, .count = of.count, .stride = 2 * width_};
}

void kv_cache::append(std::size_t layer, const const_matrix_ref& key_value) {
  if (layer >= layers_.size() || key_value.cols() != 2 * width_) {
    throw error(error_code::invalid_shape, "key_value",
                "isn't a layer's rows of " + std::to_string(2 * width_) + " numbers");
  }
  stored& into = layers_[layer];
  const std::size_t needed = into.count + key_value.rows();
  if (needed > into.rows.rows()) {
    matrix larger(std::max(needed, 2 * into.count), 2 * width_);
    copy(into.rows.row_block(0, into.count), larger.row_block(0, into.count));
    into.rows = std::move(larger);
  }
  copy(key_value, into.rows.row_block(into.count, key_value.rows()));
  into.count = needed;
}

void kv_cache::truncate(std::size_t count) noexcept {
  for (stored& each : layers_)
    each.count = std::min(each.count, count);
}

}  // namespace act::runtime
