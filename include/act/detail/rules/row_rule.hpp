// The rule of one row, in the one place that every form takes it from, on the processor and on a device: when
// a row changes, and by what. With S the row's mass on sinks and R its mass elsewhere, sinks are multiplied
// by beta and the other keys by
//
//   c = 1 + (1 - beta) S / R                                              (paper, section 4)
//
// which keeps the row's mass. Renormalised by a factor f, other columns than sinks maybe, they are multiplied
// by f c and the other keys by
//
//   c = (S + R) / (R + f S)
//
// How S and R are summed is the forms' own matter, but R must not come out of a cancellation: its error
// reaches the row's mass as (1 - beta) S dR / R. (Where f is 1 or more, nothing blows it up.)
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/options.hpp>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// An R below this share of the row counts as none: c would be rounding noise blown up, and every form has to
/// agree on which rows stay as they are.
inline constexpr double least_remainder = 0x1p-20;

/// Finite masses are at most this.
inline constexpr double largest_mass = 1.7976931348623157e308;

/// Where sinks hold more than this share of a row, R is summed over the other keys: the row's sum less S
/// would have lost digits.
inline constexpr double cancelling_share = 0.5;

/// How the columns of a row that are changed are scaled.
struct column_scaling {
  double factor = 1;          ///< beta, or f
  bool renormalises = false;  ///< by f, not by beta

  /// Whether rows stay as they are, all of them.
  [[nodiscard]] constexpr bool is_nothing() const noexcept { return factor == 1; }
  /// Whether c may be large, where R is small.
  [[nodiscard]] constexpr bool weakens() const noexcept { return factor < 1; }
  /// R counts as none by what it is a share of: R + this * S. c is at most 1 / f, so that a small f blows up
  /// nothing while R is a share of what it leaves.
  [[nodiscard]] constexpr double weight_of_columns() const noexcept {
    return renormalises && factor > 0 && factor < 1 ? factor : 1;
  }
};

/// What the options say of a head, whose `strengths` are settled already (calibration_options::of_head).
[[nodiscard]] constexpr column_scaling scaling_of(const calibration_options& options) noexcept {
  const bool renormalises = options.redistribute == redistribution::renormalised;
  return {renormalises ? options.factor : options.beta, renormalises};
}

/// Whether a row changes at all: it has mass on sinks, something elsewhere, and neither NaN nor an infinity
/// (which makes one of the comparisons false). `Number` is double or a batch of doubles, whose lanes are
/// then rows; `weight` is column_scaling::weight_of_columns.
template <class Number>
[[nodiscard]] ACT_HOST_DEVICE constexpr auto row_changes(const Number& on_sinks, const Number& elsewhere,
                                                         double weight = 1) noexcept {
  const Number mass = on_sinks + elsewhere, nothing(0.0);
  return (on_sinks > nothing) & (elsewhere > nothing) &
         (elsewhere >= Number(least_remainder) * (Number(weight) * on_sinks + elsewhere)) &
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
  double freed = 0;      ///< the mass that sinks lose; below 0: gain
  double elsewhere = 1;  ///< what the other keys are multiplied by
  double columns = 1;    ///< what sinks, or the columns in their place, are multiplied by
  bool changes = false;

  /// What some keys lose to others.
  [[nodiscard]] ACT_HOST_DEVICE constexpr double moved() const noexcept { return freed < 0 ? -freed : freed; }
};

[[nodiscard]] ACT_HOST_DEVICE constexpr row_change change_of_row(double on_sinks, double elsewhere,
                                                                 double beta) noexcept {
  if (!row_changes(on_sinks, elsewhere)) return {};
  const double freed = freed_mass(on_sinks, beta);
  return {freed, elsewhere_factor(freed, elsewhere), beta, true};
}

[[nodiscard]] constexpr row_change change_of_row(double on_columns, double elsewhere,
                                                 const column_scaling& scaling) noexcept {
  if (!scaling.renormalises) return change_of_row(on_columns, elsewhere, scaling.factor);
  if (!row_changes(on_columns, elsewhere, scaling.weight_of_columns())) return {};
  const double f = scaling.factor, after = elsewhere + f * on_columns;
  const double c = (on_columns + elsewhere) / after;
  return {(1 - f) * on_columns * (elsewhere / after), c, f * c, true};
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
