// Calibration before the softmax, for engines that only accept an additive bias on their scores.
// Exact: softmax of the biased scores is the calibrated row. With c = 1 + (1 - beta) S / R, adding ln(beta /
// c) to the sinks' scores, and -ln c to a learned sink's, divides the row's denominator by c; so other keys
// are multiplied by c and sinks by beta, and the learned sink keeps its share. Renormalised by a factor f it
// is ln f alone, the same in every row, where there is no learned sink.
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/error.hpp>
#include <act/options.hpp>
#include <act/version.hpp>

#include <cmath>

namespace act::inline ACT_ABI {

/// What to add to one row's scores.
struct row_bias {
  double sinks = 0;         ///< to the score of each sink, or column in their place; -infinity when its
                            ///< beta or factor is 0
  double learned_sink = 0;  ///< to the learned sink's logit, where the model has one
};

}  // namespace act::inline ACT_ABI

namespace act::inline ACT_ABI::inline ACT_BUILD {

/// The bias of one row with `on_sinks` of its mass on sinks and `elsewhere` on its other keys (sum it over
/// these, don't subtract; a learned sink's share is in neither). Both 0 where calibration leaves the row
/// alone. Throws act::error (invalid_option, unsupported: other redistributions, the authors' behaviour).
/// @param on_sinks the row's mass on sinks
/// @param elsewhere the row's mass on its other keys
/// @param options beta, or factor; proportional or renormalised redistribution only
/// @return what to add to scores
[[nodiscard]] inline row_bias logit_bias(double on_sinks, double elsewhere,
                                         const calibration_options& options = {}) {
  throw_if(options.validate(), error_code::invalid_option);
  const bool renormalises = options.redistribute == redistribution::renormalised;
  if ((options.redistribute != redistribution::proportional && !renormalises) ||
      options.behave_as != compatibility::none) {
    detail::raise(error_code::unsupported, "redistribute",
                  "only the paper's proportional one and a renormalised one have a bias");
  }
  if (!options.strengths.empty()) {
    detail::raise(error_code::invalid_option, "strengths",
                  "belong to the heads of a map: use calibration_options::of_head here");
  }
  const detail::row_change change = detail::change_of_row(on_sinks, elsewhere, detail::scaling_of(options));
  if (!change.changes) return {};
  const double log_factor = std::log1p(change.freed / elsewhere);
  if (renormalises) return {std::log(options.factor), -log_factor};
  return {std::log(options.beta) - log_factor, -log_factor};
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
