// One row by whichever redistribution the options name. For calibrate() and calibrate_row().
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/ablations.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/proportional_row.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/options.hpp>

#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Changes the row in place. `sinks` ascend and lie within `seen`; `initial` is the position of the initial
/// token. Returns the mass moved, 0 when the row stays as it is.
template <class T, class Arch>
double redistribute(T* row, key_range seen, std::span<const std::size_t> sinks, std::size_t initial,
                    const calibration_options& options) noexcept {
  switch (options.redistribute) {
    case redistribution::proportional:
    case redistribution::renormalised: {
      const column_scaling scaling = scaling_of(options);
      return scaling.is_nothing() ? 0 : redistribute_proportionally<T, Arch>(row, seen, sinks, scaling);
    }
    case redistribution::uniform:
      return redistribute_uniformly(row, seen, sinks, options.beta);
    case redistribution::subset:
      return redistribute_to_subset(row, seen, sinks, options.subset, options.beta);
    case redistribution::inverse:
      return redistribute_inversely(row, seen, sinks, options.beta);
    case redistribution::temperature:
      return temper(row, seen, initial, options.theta);
  }
  return 0;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
