// What a rule's heads will gain on samples that nobody has looked at, and how sure that is.
#pragma once

#include <act/search/selection/cross_validation.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/statistics/intervals.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace act::search {

/// One measure of samples that were held back from every choice.
struct forecast_measure {
  double plain = 0;
  double calibrated = 0;
  double gain = 0;
  statistics::interval gain_interval;  ///< 95 %
};

struct source_forecast {
  std::size_t source = 0;  ///< number of the search's file
  std::size_t samples = 0;
  forecast_measure accuracy;
  std::optional<forecast_measure> auc;  ///< none where it isn't defined (statistics::auc)
};

/// Nested cross-validation: in each outer fold the whole rule, K included, chooses on the training samples
/// (with folds of its own) and its set's additive estimate is looked at on the fold's. So samples choose
/// heads, choose K, or are forecast on, never two of these in one fold. Of each source, in ascending order;
/// empty for fewer than 10 samples. The samples' paired bootstrap gives the interval, widened by sqrt(1 +
/// folds / (folds - 1)) for what the folds' training sets share (after Nadeau and Bengio 2003). Slightly
/// pessimistic: it judges sets that were chosen on (folds - 1) / folds of the samples. Cost: folds x repeats
/// of choose_set.
[[nodiscard]] std::vector<source_forecast> forecast_gain(const selection_rule& rule, const score_changes& of,
                                                         const cross_validation_options& outer,
                                                         const cross_validation_options& inner);

}  // namespace act::search
