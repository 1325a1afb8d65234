// A sum in a tree: log2(n) roundings on the way from a term to the sum where a chain has n - 1, and as few
// additions that wait for each other. Unrolled at compile time, so that terms stay in registers.
#pragma once

#include <act/detail/build.hpp>

#include <cstddef>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// The sum of term(First) .. term(First + Count - 1), whose arguments are integral constants. Count is a
/// power of two; terms need `+`.
template <std::size_t Count, std::size_t First = 0, class Term>
[[nodiscard]] inline auto tree_sum(const Term& term) noexcept {
  static_assert(Count > 0 && (Count & (Count - 1)) == 0);
  if constexpr (Count == 1) {
    return term(std::integral_constant<std::size_t, First>{});
  } else {
    return tree_sum<Count / 2, First>(term) + tree_sum<Count / 2, First + Count / 2>(term);
  }
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
