// Reference heads for a cache that keeps their keys alone (runtime/kv_cache.hpp): which ones, and the maps
// that make the other heads' keys of theirs.
#pragma once

#include <act/inspection/predictability.hpp>
#include <act/runtime/key_maps.hpp>

#include <cstddef>

namespace act::inspection {

struct fitted_key_maps {
  runtime::key_maps maps;
  double explained = 0;  ///< mean R^2 of the heads that are made, on the tokens that were fitted
};

/// Tokens that maps of `count` reference heads' keys take to be fitted: more than each output of a map has
/// numbers. Fewer are fitted exactly, whatever they are.
[[nodiscard]] std::size_t tokens_for_key_maps(const runtime::model_config& config,
                                              std::size_t count) noexcept;

/// `count` reference heads of each layer and the maps of its other key heads, from the fitted part of sums of
/// keys. References are taken one by one: the key head with which the others' mean R^2 is largest.
/// Preconditions: `keys` are sums of head_vectors::keys alone, without lower layers. Throws `error`:
/// unsupported unless there are more key heads than `count`; invalid_input for fewer tokens than
/// tokens_for_key_maps().
[[nodiscard]] fitted_key_maps fit_key_maps(const head_moments& keys, std::size_t count);

}  // namespace act::inspection
