// Keys and values of the positions that a sequence has behind it: what decoding attends to instead of running
// the whole sequence again for each new token. One sequence; no paging.
//
// A cache that keeps everything holds keys turned by their position. One that evicts holds them as they were
// projected and turns them at every step by their place in the cache: so the model sees positions it knows,
// however long the text is (StreamingLLM, section 3.2). That costs kv_heads * head_size multiplications and a
// half for each kept position and layer, where attending to it costs 2 * heads * head_size. So does one that
// keeps reference heads' keys, and makes the other heads' of them first: another references * head_size^2
// multiplications for each position, layer and head that isn't one.
#pragma once

#include <act/attention_view.hpp>
#include <act/half.hpp>
#include <act/runtime/cache_policy.hpp>
#include <act/runtime/cache_type.hpp>
#include <act/runtime/cached_rows.hpp>
#include <act/runtime/key_maps.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/layers/rotary.hpp>
#include <act/runtime/model.hpp>

#include <cstddef>
#include <variant>
#include <vector>

namespace act::runtime {

/// Keys and values of each layer. Memory: 8 kv_heads head_size bytes a position and layer, half of that in
/// float16, doubled whenever it is full, at most up to the policy's capacity. Copying forks the sequence.
class kv_cache {
 public:
  /// Throws `error`: unsupported for a policy that evicts and a model with learned positions, which can't be
  /// moved; invalid_option for one that turns keys in float16, which would be rounded anew at every step, or
  /// that keeps more than the model's context; unsupported for reference heads where a layer has no other
  /// key heads, and mismatch for maps of another model.
  explicit kv_cache(const model_config& config, const cache_policy& policy = {},
                    cache_type type = cache_type::f32);

  [[nodiscard]] const cache_policy& policy() const noexcept { return policy_; }
  /// Whether it takes keys as they were projected, and turns them itself.
  [[nodiscard]] bool turns_keys() const noexcept { return policy_.turns_keys(); }
  /// What every position takes in all layers together, of memory that is in use.
  [[nodiscard]] std::size_t bytes_a_position() const noexcept {
    return layers_.size() * (key_heads_ + kv_heads_) * head_size_ * number_bytes_;
  }
  /// Positions that every layer holds.
  [[nodiscard]] std::size_t positions() const noexcept;

  /// Evicts what has to go before every layer gets `count` more positions, and returns which those were:
  /// nothing unless the policy says so. Precondition: `count` is at most its capacity.
  key_range make_room(std::size_t count);

  /// What attention sees of `layer`, keys turned; valid until the next append to any layer. Precondition: the
  /// layer exists.
  [[nodiscard]] past_positions past(std::size_t layer);

  /// Adds a layer's new positions, [rows, 2 kv_heads head_size] as `layer_buffers::key_value` has them: keys
  /// turned unless turns_keys(). Throws `error`: invalid_shape for rows of another width; unsupported
  /// for numbers that float16 doesn't hold.
  void append(std::size_t layer, const const_matrix_ref& key_value);

  /// Forgets every position from `count` on; the memory stays.
  void truncate(std::size_t count) noexcept;

 private:
  using stored = std::variant<cached_rows<float>, cached_rows<float16>>;

  // turned_ becomes all heads' keys of the layer, turned by their places.
  void make_keys(std::size_t layer, const cached_rows<float>& of);
  // The keys of a head that isn't kept, not turned.
  void make_from_references(const matrix& map, const cached_rows<float>& of, matrix_ref keys) const noexcept;

  std::size_t kv_heads_, head_size_;
  std::size_t key_heads_;  // whose keys are kept: all, or the references
  std::size_t number_bytes_;
  cache_policy policy_;
  std::vector<rotary_options> rotary_;
  std::vector<std::size_t> rotary_of_;  // of each layer
  rotary_tables places_;                // of the places in a cache that turns keys
  std::size_t places_count_ = 0;        // where it keeps every position: of so many
  matrix turned_;                       // [kv_heads capacity, head_size]: the keys of one layer
  std::vector<stored> layers_;
};

}  // namespace act::runtime
