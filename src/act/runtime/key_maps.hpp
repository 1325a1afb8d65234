// Keys made of other keys: what a cache that keeps a few reference heads' keys needs to give back the others
// (kv_cache.hpp). inspection/reference_heads.hpp fits them.
#pragma once

#include <act/runtime/layers/matrix.hpp>

#include <cstddef>
#include <vector>

namespace act::runtime {

/// A layer's keys, before they are turned by their positions. A head that isn't a reference has the key
/// offset + weights [the references' keys side by side].
struct layer_key_maps {
  std::vector<std::size_t> references = {};  ///< key heads whose keys are kept, ascending
  /// Of each key head [references head_size + 1, head_size]: a row a number of the references' keys, then the
  /// offset. Empty for the references.
  std::vector<matrix> of_head = {};
};

struct key_maps {
  std::vector<layer_key_maps> layers = {};
};

}  // namespace act::runtime
