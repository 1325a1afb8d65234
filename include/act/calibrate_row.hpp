// Calibrates one row of weights, its sinks known: sinks keep beta of their weight, the rest of the row takes
// what they lost, and the row's mass stays what it was; or what else the options say of columns. For callers
// who choose sinks themselves; calibrate() does this for whole maps, sink_tracker.hpp while decoding.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/sinks_in_rows.hpp>
#include <act/detail/map_checks.hpp>
#include <act/detail/redistribute.hpp>
#include <act/detail/refusal.hpp>
#include <act/element.hpp>
#include <act/error.hpp>
#include <act/options.hpp>
#include <act/simd.hpp>

#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD {

/// Calibrates one row of softmaxed weights in place, its sinks known. `row` spans all keys, `seen` is the
/// range the row can see, `sinks` are ascending key positions (those outside `seen` are ignored; the initial
/// token should not be among them), `initial_key` is that token's position (only redistribution::temperature
/// asks). Returns the mass moved, 0 when the row stays as it is: no sink has mass, nothing can receive, or
/// the row holds a NaN or an infinity. Row mass is preserved to rounding. Cost: two passes over the row.
/// options.sinks isn't used. Throws act::error before the first write.
/// @tparam T element type of the row
/// @tparam Arch instruction set (simd.hpp)
/// @param row one weight for each key
/// @param seen the keys that the row sees
/// @param sinks key positions, strictly ascending
/// @param options beta, redistribution
/// @param initial_key the sequence's initial token
/// @return what some keys lost to others
template <attention_element T, class Arch = simd::default_arch>
double calibrate_row(std::span<T> row, key_range seen, std::span<const std::size_t> sinks,
                     const calibration_options& options = {}, std::size_t initial_key = 0) {
  throw_if(options.validate(), error_code::invalid_option);
  if (options.behave_as == compatibility::authors) {
    detail::raise(error_code::unsupported, "behave_as",
                  "rows alone have no authors' form: calibrate the map");
  }
  if (seen.begin > seen.end || seen.end > row.size()) {
    detail::raise(error_code::invalid_shape, "seen", "isn't a range within the row");
  }
  detail::raise_if(detail::check_given_columns(options));
  detail::raise_if(detail::check_one_strength(options));
  detail::raise_if(detail::check_sinks(sinks, row.size()));
  detail::raise_if(detail::check_columns(options, row.size()));
  return detail::redistribute<T, Arch>(row.data(), seen, detail::sinks_within(sinks, seen), initial_key,
                                       options);
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
