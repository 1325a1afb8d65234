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
  if (policy_.evicts()) turned_.resize(kv_heads_ * policy_.capacity(), head_size_);
}

key_range kv_cache::make_room(std::size_t count) {
  const std::size_t held = positions();
  if (!policy_.evicts() || held + count <= policy_.capacity()) return {};
  const std::size_t gone = held + count - policy_.capacity();
  const key_range range{policy_.sinks, policy_.sinks + gone};
  for (stored& each : layers_) {
    // Rows move to lower places, so copying in order never overwrites what is still to be copied.
    for (std::size_t head = 0; head < 2 * kv_heads_; ++head) {
      const const_matrix_ref left = positions_of(each, head, range.end, each.count - range.end);
      std::copy_n(left.data(), left.rows() * head_size_, positions_of(each, head, range.begin, 0).data());
    }
    each.count -= gone;
  }
  return range;
}

past_positions kv_cache::past(std::size_t layer) {
  stored& of = layers_[layer];
  if (of.count == 0) return {};
  past_positions found{.keys = of.rows.data(),
                       .values = positions_of(of, kv_heads_, 0, 0).data(),
                       .count = of.count,
                       .stride = head_size_,
                       .value_stride = head_size_,
                       .head_stride = of.capacity * head_size_};
  if (!policy_.evicts()) return found;
  for (std::size_t head = 0; head < kv_heads_; ++head) {
    const matrix_ref keys = turned_.row_block(head * of.capacity, of.count);
    copy(positions_of(of, head, 0, of.count), keys);
    places_.rotate(rotary_of_[layer], keys, 1, head_size_);
  }
  found.keys = turned_.data();
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
  if (needed > into.capacity) {
    stored larger{.rows = {}, .capacity = std::max(needed, 2 * into.count), .count = into.count};
    if (policy_.evicts()) larger.capacity = std::min(larger.capacity, policy_.capacity());
    larger.rows.resize(2 * kv_heads_ * larger.capacity, head_size_);
    for (std::size_t head = 0; head < 2 * kv_heads_; ++head)
      copy(positions_of(into, head, 0, into.count), positions_of(larger, head, 0, into.count));
    into = std::move(larger);
  }
  for (std::size_t head = 0; head < 2 * kv_heads_; ++head) {
    copy(key_value.columns(head * head_size_, head_size_),
         positions_of(into, head, into.count, key_value.rows()));
  }
  into.count = needed;
}

void kv_cache::truncate(std::size_t count) noexcept {
  for (stored& each : layers_)
    each.count = std::min(each.count, count);
}

}  // namespace act::runtime
