// What happens to one row once its sinks are known: sinks keep beta of their weight, the rest of the row
// takes what they lost, and the row's mass stays what it was. For decoding, where rows come one at a time,
// and for callers who choose sinks themselves; calibrate() does this for whole maps.
//
// Arithmetic. With S the row's mass on sinks and R its mass elsewhere, other keys are multiplied by
// c = 1 + (1 - beta) S / R. The error of R reaches the row's mass as (1 - beta) S dR / R, so R must not come
// out of a cancellation: it is taken as (row sum - S) only while S is at most half of the row, and summed
// over the other keys beyond that. An R below 2^-20 of the row counts as none: the factor would be rounding
// noise blown up, and every form (map, fused, corrected, streamed) has to agree on which rows stay as they
// are.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/ablations.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/row_simd.hpp>
#include <act/element.hpp>
#include <act/error.hpp>
#include <act/options.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD {

namespace detail {

/// Mass of the keys in `seen` that aren't in `sinks`, summed directly. A few sinks are set to zero meanwhile
/// and put back to the bit: one long sum is much faster than many short ones.
template <class T, class Arch>
[[nodiscard]] double sum_elsewhere(T* row, key_range seen, std::span<const std::size_t> sinks) noexcept {
  constexpr std::size_t few = 64;
  if (sinks.size() <= few) {
    T kept[few];
    for (std::size_t k = 0; k < sinks.size(); ++k) {
      kept[k] = row[sinks[k]];
      row[sinks[k]] = element_traits<T>::store(0);
    }
    const double total = row_kernel<T, Arch>::sum(row + seen.begin, seen.size());
    for (std::size_t k = 0; k < sinks.size(); ++k)
      row[sinks[k]] = kept[k];
    return total;
  }
  double total = 0;
  std::size_t from = seen.begin;
  for (const std::size_t s : sinks) {
    total += row_kernel<T, Arch>::sum(row + from, s - from);
    from = s + 1;
  }
  return total + row_kernel<T, Arch>::sum(row + from, seen.end - from);
}

/// Multiplies sinks by `at_sinks` and the other keys of `seen` by `elsewhere`. Vectors run over both; the
/// sinks are kept aside and written last.
template <class T, class Arch>
void scale_row(T* row, key_range seen, std::span<const std::size_t> sinks, accumulator_t<T> at_sinks,
               accumulator_t<T> elsewhere) noexcept {
  using element = element_traits<T>;
  constexpr std::size_t chunk = 64;
  accumulator_t<T> kept[chunk];
  std::size_t from = seen.begin;
  do {
    const std::size_t count = std::min(chunk, sinks.size());
    for (std::size_t k = 0; k < count; ++k)
      kept[k] = element::load(row[sinks[k]]);
    const std::size_t to = count < sinks.size() ? sinks[count] : seen.end;
    row_kernel<T, Arch>::scale(row + from, to - from, elsewhere);
    for (std::size_t k = 0; k < count; ++k)
      row[sinks[k]] = element::store(kept[k] * at_sinks);
    sinks = sinks.subspan(count);
    from = to;
  } while (from < seen.end);
}

/// What one row's weights are multiplied by, and the mass that this moves; not `changes` when the row stays:
/// no mass on sinks, none elsewhere, or a NaN or an infinity in it.
template <class T>
struct row_change {
  double freed = 0;
  accumulator_t<T> elsewhere = 1;
  bool changes = false;
};

/// Proportional redistribution, first half: leaves the row as it is. `sinks` ascend and lie within `seen`.
/// `sum()` is the row's; it is asked for when sinks have some of it.
template <class T, class Arch, class Sum>
[[nodiscard]] row_change<T> weigh_proportionally(T* row, key_range seen, std::span<const std::size_t> sinks,
                                                 double beta, Sum&& sum) noexcept {
  double on_sinks = 0;
  for (const std::size_t s : sinks)
    on_sinks += static_cast<double>(element_traits<T>::load(row[s]));
  if (!(on_sinks > 0)) return {};
  const double mass = sum();
  if (!std::isfinite(mass)) return {};
  const double elsewhere = on_sinks > 0.5 * mass ? sum_elsewhere<T, Arch>(row, seen, sinks) : mass - on_sinks;
  if (!(elsewhere >= least_remainder * (on_sinks + elsewhere))) return {};
  const double freed = (1 - beta) * on_sinks;
  return {freed, static_cast<accumulator_t<T>>(1 + freed / elsewhere), true};
}

/// Proportional redistribution in one row. `sinks` ascend and lie within `seen`. Returns the mass taken from
/// sinks; 0 and the row as it was when there is none on sinks, none elsewhere, or a NaN or an infinity in it.
template <class T, class Arch>
double redistribute_proportionally(T* row, key_range seen, std::span<const std::size_t> sinks,
                                   double beta) noexcept {
  const row_change<T> change = weigh_proportionally<T, Arch>(row, seen, sinks, beta, [&]() noexcept {
    return row_kernel<T, Arch>::sum(row + seen.begin, seen.size());
  });
  if (change.changes) {
    scale_row<T, Arch>(row, seen, sinks, static_cast<accumulator_t<T>>(beta), change.elsewhere);
  }
  return change.freed;
}

/// One row by whichever redistribution the options name. `sinks` ascend and lie within `seen`.
template <class T, class Arch>
double redistribute(T* row, key_range seen, std::span<const std::size_t> sinks, std::size_t initial,
                    const calibration_options& options) noexcept {
  switch (options.redistribute) {
    case redistribution::proportional:
      return options.beta == 1 ? 0 : redistribute_proportionally<T, Arch>(row, seen, sinks, options.beta);
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

inline void check_subset(const calibration_options& options, std::size_t keys) {
  if (!options.subset.empty() && options.subset.back() >= keys) {
    detail::raise(error_code::invalid_option, "subset", "holds a position past the map's keys");
  }
}

inline void check_sinks(std::span<const std::size_t> sinks, std::size_t keys) {
  for (std::size_t k = 0; k < sinks.size(); ++k) {
    if (sinks[k] >= keys)
      detail::raise(error_code::invalid_shape, "sinks", "hold a position past the row's keys");
    if (k > 0 && sinks[k] <= sinks[k - 1])
      detail::raise(error_code::invalid_shape, "sinks", "must ascend strictly");
  }
}

}  // namespace detail

/// Calibrates one row of softmaxed weights in place, its sinks known. `row` spans all keys, `seen` is the
/// range the row can see, `sinks` are ascending key positions (those outside `seen` are ignored; the initial
/// token should not be among them), `initial_key` is that token's position (only redistribution::temperature
/// asks). Returns the mass moved, 0 when the row stays as it is: no sink has mass, nothing can receive, or
/// the row holds a NaN or an infinity. Row mass is preserved to rounding. Cost: two passes over the row.
/// options.sinks isn't used. Throws act::error before the first write.
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
  detail::check_sinks(sinks, row.size());
  detail::check_subset(options, row.size());
  return detail::redistribute<T, Arch>(row.data(), seen, detail::sinks_within(sinks, seen), initial_key,
                                       options);
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
