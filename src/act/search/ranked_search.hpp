// A search that orders heads by an estimate and runs the exact trials of the first ones only.
#pragma once

#include <act/search/search_run.hpp>
#include <act/search/strategy.hpp>

namespace act::search {

struct ranked_options {
  double budget = 0.33;  ///< the share of the exact trials' cost that is used up
  gain_function gains;
};

/// Three steps. Every trial is estimated by the rows that are scored alone (trial_rows::scored), for a few
/// hundredths of the exact trials' cost. About half of the budget, at most 0.15, goes into exact trials of
/// all heads on the first samples: the screen. The rest goes into heads on the remaining samples, the largest
/// expected gain first, until the next one would exceed the budget; heads below that stay unknown. Expected
/// is the mean over the screen, corrected by what the head's estimates say of the other samples in so far as
/// they agreed with the exact ones on the screen (a control variate).
void run_ranked_search(search_run& run, const ranked_options& options);

}  // namespace act::search
