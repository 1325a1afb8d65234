// The element types of one call that begins at queries and keys, as a single name: what the queries hold,
// what the cache of keys and values does, and what the outputs do. All are computed in one type.
#pragma once

#include <act/detail/build.hpp>
#include <act/element.hpp>

#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

template <class Query, class Cache, class Output>
struct attention_types {
  using query = Query;
  using cache = Cache;
  using output = Output;
  using accumulator = accumulator_t<Output>;
};

/// Of a call's template arguments: `Query` and `Cache` may be const.
template <class Output, class Query, class Cache>
using types_of = attention_types<std::remove_const_t<Query>, std::remove_const_t<Cache>, Output>;

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
