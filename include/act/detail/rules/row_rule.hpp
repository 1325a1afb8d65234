// The rule of one row, in the one place that every form takes it from, on the processor and on a device: when
// a row changes, and by what. With S the row's mass on sinks and R its mass elsewhere, sinks are multiplied
// by beta and the other keys by
//
//   c = 1 + (1 - beta) S / R                                              (paper, section 4)
//
// which keeps the row's mass. How S and R are summed is the forms' own matter, but R must not come out of a
// cancellation: its error reaches the row's mass as (1 - beta) S dR / R.
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/rules/host_device.hpp>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// An R below this share of the row counts as none: c would be rounding noise blown up, and every form has to
/// agree on which rows stay as they are.
inline constexpr double least_remainder = 0x1p-20;

/// Finite masses are at most this.
inline constexpr double largest_mass = 1.7976931348623157e308;

/// Where sinks hold more than this share of a row, R is summed over the other keys: the row's sum less S
/// would have lost digits.
inline constexpr double cancelling_share = 0.5;

/// Whether a row changes at all: it has mass on sinks, something elsewhere, and neither NaN nor an infinity
/// (which makes one of the comparisons false). `Number` is double or a batch of doubles, whose lanes are
/// then rows.
template <class Number>
[[nodiscard]] ACT_HOST_DEVICE constexpr auto row_changes(const Number& on_sinks,
                                                         const Number& elsewhere) noexcept {
  const Number mass = on_sinks + elsewhere, nothing(0.0);
  return (on_sinks > nothing) & (elsewhere > nothing) & (elsewhere >= Number(least_remainder) * mass) &
         (mass <= Number(largest_mass));
}

/// What sinks lose of S.
template <class Number>
[[nodiscard]] ACT_HOST_DEVICE constexpr Number freed_mass(const Number& on_sinks, double beta) noexcept {
  return Number(1 - beta) * on_sinks;
}

/// The factor c of the other keys, of a row that changes.
template <class Number>
[[nodiscard]] ACT_HOST_DEVICE constexpr Number elsewhere_factor(const Number& freed,
                                                                const Number& elsewhere) noexcept {
  return Number(1.0) + freed / elsewhere;
}

/// How one row changes; unless `changes` it stays as it is, to the bit.
struct row_change {
  double freed = 0;      ///< the mass that sinks lose
  double elsewhere = 1;  ///< what the other keys are multiplied by
  bool changes = false;
};

[[nodiscard]] ACT_HOST_DEVICE constexpr row_change change_of_row(double on_sinks, double elsewhere,
                                                                 double beta) noexcept {
  if (!row_changes(on_sinks, elsewhere)) return {};
  const double freed = freed_mass(on_sinks, beta);
  return {freed, elsewhere_factor(freed, elsewhere), true};
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
