// When a column score makes a key a sink, in the one place that every form takes it from, on the processor
// and on a device (paper, section 3; options.hpp says what the rules are). A key is a sink when
//
//   its mean weight > factor * measure,
//
// where the measure is 1, or with the baseline-corrected rule what uniform attention would give the key.
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/options.hpp>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Whether the measure is what uniform attention gives.
[[nodiscard]] ACT_HOST_DEVICE constexpr bool measures_uniform(sink_rule rule) noexcept {
  return rule == sink_rule::baseline_corrected;
}

/// The factor. `visible_keys`: the relative rule's N, the keys from the initial one to the last row's own.
[[nodiscard]] ACT_HOST_DEVICE constexpr double sink_factor(sink_rule rule, double alpha, double tau,
                                                           double visible_keys) noexcept {
  return rule == sink_rule::absolute ? tau : measures_uniform(rule) ? alpha : alpha / visible_keys;
}

/// What uniform attention of the row at `position` gives each key that it sees, from `initial` on and within
/// `window` keys (0: all). `Index` is the caller's integer type.
template <class Index>
[[nodiscard]] ACT_HOST_DEVICE constexpr double uniform_share(Index position, Index initial,
                                                             Index window) noexcept {
  if (position < initial) return 0;
  const Index seen = position + 1 - initial;
  return 1.0 / static_cast<double>(window == 0 || seen < window ? seen : window);
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
