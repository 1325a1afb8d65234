#include <act/error.hpp>
#include <act/parallel.hpp>
#include <act/runtime/kv_cache.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/model.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <variant>
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

// Key heads whose keys are kept.
std::size_t key_heads_of(const model_config& config, const cache_policy& policy) {
  if (policy.reference_heads == 0) return config.kv_heads;
  if (policy.reference_heads >= config.kv_heads) {
    throw error(error_code::unsupported, "cache",
                "'" + text_of(policy) + "' makes keys of other heads' keys, and a layer of this model has " +
                    std::to_string(config.kv_heads) + (config.kv_heads == 1 ? " key head" : " key heads") +
                    (config.kv_heads == 1 ? "; use --cache all" : "; keep fewer"));
  }
  const bool fit = policy.maps != nullptr && policy.maps->layers.size() == config.layers;
  const auto fits = [&](const layer_key_maps& maps) {
    if (maps.references.size() != policy.reference_heads || maps.of_head.size() != config.kv_heads)
      return false;
    for (std::size_t head = 0; head < config.kv_heads; ++head) {
      if (std::find(maps.references.begin(), maps.references.end(), head) != maps.references.end()) continue;
      if (maps.of_head[head].rows() != maps.references.size() * config.head_size + 1 ||
          maps.of_head[head].cols() != config.head_size)
        return false;
    }
    return maps.references.back() < config.kv_heads;
  };
  if (!fit || !std::all_of(policy.maps->layers.begin(), policy.maps->layers.end(), fits))
    throw error(error_code::mismatch, "cache", "has no maps of this model's keys; fit them on a text first");
  return policy.reference_heads;
}

}  // namespace

kv_cache::kv_cache(const model_config& config, const cache_policy& policy, cache_type type)
    : kv_heads_(config.kv_heads),
      head_size_(config.head_size),
      key_heads_(key_heads_of(config, policy)),
      number_bytes_(type == cache_type::f16 ? sizeof(float16) : sizeof(float)),
      policy_(policy),
      rotary_(config.rotary),
      places_(config.rotary, places_of(config, policy)) {
  check_cache_type(policy_, type, "cache-type");
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    rotary_of_.push_back(config.attention_in(layer).rotary);
    const std::span<const std::size_t> kept = policy_.reference_heads > 0
                                                  ? std::span(policy_.maps->layers[layer].references)
                                                  : std::span<const std::size_t>();
    if (type == cache_type::f16) {
      layers_.emplace_back(cached_rows<float16>(kv_heads_, head_size_));
    } else {
      layers_.emplace_back(cached_rows<float>(kv_heads_, head_size_, kept));
    }
  }
  if (policy_.evicts()) turned_.resize(kv_heads_ * policy_.capacity(), head_size_);
}

std::size_t kv_cache::positions() const noexcept {
  return layers_.empty() ? 0 : std::visit([](const auto& of) { return of.count(); }, layers_.back());
}

key_range kv_cache::make_room(std::size_t count) {
  const std::size_t held = positions();
  if (!policy_.evicts() || held + count <= policy_.capacity()) return {};
  const key_range gone{policy_.sinks, policy_.sinks + held + count - policy_.capacity()};
  for (stored& each : layers_)
    std::visit([&](auto& of) { of.evict(gone); }, each);
  return gone;
}

past_positions kv_cache::past(std::size_t layer) {
  if (const auto* const halves = std::get_if<cached_rows<float16>>(&layers_[layer])) {
    if (halves->count() == 0) return {};
    return {.half_keys = halves->keys(0),
            .half_values = halves->values(0),
            .count = halves->count(),
            .stride = head_size_,
            .value_stride = head_size_,
            .head_stride = halves->head_stride()};
  }
  const auto& of = std::get<cached_rows<float>>(layers_[layer]);
  if (of.count() == 0) return {};
  past_positions found{.keys = of.keys(0),
                       .values = of.values(0),
                       .count = of.count(),
                       .stride = head_size_,
                       .value_stride = head_size_,
                       .head_stride = of.head_stride()};
  if (!turns_keys()) return found;
  make_keys(layer, of);
  found.keys = turned_.data();
  return found;
}

void kv_cache::make_keys(std::size_t layer, const cached_rows<float>& of) {
  const bool some = policy_.reference_heads > 0;
  const std::size_t places = of.head_stride() / head_size_;
  if (some && places_count_ < places) {
    std::vector<std::uint32_t> all(places);
    std::iota(all.begin(), all.end(), 0U);
    places_ = rotary_tables(rotary_, all);
    places_count_ = places;
  }
  if (some) turned_.resize(kv_heads_ * places, head_size_);
  const auto make = [&](std::size_t head) noexcept {
    const matrix_ref keys(turned_.data() + head * of.head_stride(), of.count(), head_size_, head_size_);
    std::size_t place = head;
    if (some) {
      const std::vector<std::size_t>& references = policy_.maps->layers[layer].references;
      place = static_cast<std::size_t>(std::find(references.begin(), references.end(), head) -
                                       references.begin());
    }
    if (place < key_heads_) {
      std::copy_n(of.keys(place), of.count() * head_size_, keys.data());
    } else {
      make_from_references(policy_.maps->layers[layer].of_head[head], of, keys);
    }
    places_.rotate(rotary_of_[layer], keys, 1, head_size_);
  };
  if (some) return parallel_for(kv_heads_, make);
  for (std::size_t head = 0; head < kv_heads_; ++head)  // turning alone is no work for many
    make(head);
}

void kv_cache::make_from_references(const matrix& map, const cached_rows<float>& of,
                                    matrix_ref keys) const noexcept {
  const std::size_t inputs = key_heads_ * head_size_;
  for (std::size_t row = 0; row < of.count(); ++row) {
    const std::span<float> key = keys.row(row);
    std::copy_n(map.row(inputs).data(), head_size_, key.data());
    for (std::size_t input = 0; input < inputs; ++input) {
      const float value = of.keys(input / head_size_)[row * head_size_ + input % head_size_];
      const float* const weights = map.row(input).data();
      for (std::size_t at = 0; at < head_size_; ++at)
        key[at] += value * weights[at];
    }
  }
}

void kv_cache::append(std::size_t layer, const const_matrix_ref& key_value) {
  const std::size_t width = 2 * kv_heads_ * head_size_;
  if (layer >= layers_.size() || key_value.cols() != width) {
    throw error(error_code::invalid_shape, "key_value",
                "isn't a layer's rows of " + std::to_string(width) + " numbers");
  }
  const bool holds = std::visit(
      [&](auto& into) {
        const std::size_t needed = into.count() + key_value.rows();
        if (policy_.evicts() && needed > policy_.capacity())
          throw error(error_code::invalid_shape, "key_value", "has more rows than there was made room for");
        into.reserve(needed, policy_.evicts() ? policy_.capacity() : std::numeric_limits<std::size_t>::max());
        return into.append(key_value);
      },
      layers_[layer]);
  if (!holds) {
    throw error(
        error_code::unsupported, "cache-type",
        "a key or value of layer " + std::to_string(layer) + " exceeds what f16 holds; use --cache-type f32");
  }
}

void kv_cache::truncate(std::size_t count) noexcept {
  for (stored& each : layers_)
    std::visit([&](auto& of) { of.truncate(count); }, each);
}

}  // namespace act::runtime
