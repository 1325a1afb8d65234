#include <act/error.hpp>
#include <act/runtime/kv_cache.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/model.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// 0, 1, 2 ... for as many places as a cache that evicts has.
std::vector<std::uint32_t> places_of(const model_config& config, const cache_policy& policy) {
  if (!policy.evicts()) return {};
  if (config.learned_positions) {
    throw error(error_code::unsupported, "cache",
                "'" + text_of(policy) + "' needs positions that can move; " + config.architecture +
                    "'s are learned, so use a model with rotary positions or ALiBi, or --cache all");
  }
  if (policy.capacity() > config.context) {
    throw error(error_code::invalid_option, "cache",
                "'" + text_of(policy) + "' keeps " + std::to_string(policy.capacity()) +
                    " positions, more than the model's context of " + std::to_string(config.context) +
                    "; make the window smaller");
  }
  std::vector<std::uint32_t> places(policy.capacity());
  std::iota(places.begin(), places.end(), 0U);
  return places;
}

}  // namespace

kv_cache::kv_cache(const model_config& config, const cache_policy& policy)
    : kv_heads_(config.kv_heads),
      head_size_(config.head_size),
      policy_(policy),
      places_(config.rotary, places_of(config, policy)),
      layers_(config.layers) {
  for (std::size_t layer = 0; layer < config.layers; ++layer)
    rotary_of_.push_back(config.attention_in(layer).rotary);
  if (policy_.evicts()) turned_.resize(policy_.capacity(), kv_heads_ * head_size_);
}

key_range kv_cache::make_room(std::size_t count) {
  const std::size_t held = positions();
  if (!policy_.evicts() || held + count <= policy_.capacity()) return {};
  const std::size_t gone = held + count - policy_.capacity();
  const key_range range{policy_.sinks, policy_.sinks + gone};
  for (stored& each : layers_) {
    // Rows move to lower places, so copying in order never overwrites what is still to be copied.
    const std::size_t width = each.rows.cols();
    std::copy(each.rows.data() + range.end * width, each.rows.data() + each.count * width,
              each.rows.data() + range.begin * width);
    each.count -= gone;
  }
  return range;
}

past_positions kv_cache::past(std::size_t layer) {
  const stored& of = layers_[layer];
  const std::size_t width = kv_heads_ * head_size_;
  if (of.count == 0) return {};
  past_positions found{.keys = of.rows.data(),
                       .values = of.rows.data() + width,
                       .count = of.count,
                       .stride = 2 * width,
                       .value_stride = 2 * width};
  if (!policy_.evicts()) return found;
  const matrix_ref keys = turned_.row_block(0, of.count);
  copy(of.rows.row_block(0, of.count).columns(0, width), keys);
  places_.rotate(rotary_of_[layer], keys, kv_heads_, head_size_);
  found.keys = keys.data();
  found.stride = width;
  return found;
}

void kv_cache::append(std::size_t layer, const const_matrix_ref& key_value) {
  const std::size_t width = 2 * kv_heads_ * head_size_;
  if (layer >= layers_.size() || key_value.cols() != width) {
    throw error(error_code::invalid_shape, "key_value",
                "isn't a layer's rows of " + std::to_string(width) + " numbers");
  }
  stored& into = layers_[layer];
  const std::size_t needed = into.count + key_value.rows();
  if (policy_.evicts() && needed > policy_.capacity())
    throw error(error_code::invalid_shape, "key_value", "has more rows than there was made room for");
  if (needed > into.rows.rows()) {
    std::size_t capacity = std::max(needed, 2 * into.count);
    if (policy_.evicts()) capacity = std::min(capacity, policy_.capacity());
    matrix larger(capacity, width);
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
