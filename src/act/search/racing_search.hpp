// A search in which heads stop once they can't be picked any more.
#pragma once

#include <act/search/search_run.hpp>
#include <act/search/strategy.hpp>

#include <cstddef>

namespace act::search {

struct racing_options {
  double risk = 0.05;       ///< how likely a head that would be picked may be stopped, at most
  std::size_t places = 0;   ///< only the best so many are picked, each with one strength; 0: all that gain
  bool by_answers = false;  ///< a head gains by more answers turned right than wrong, whatever `gains` says
  gain_function gains;
};

/// Runs the plain passes, then the samples in the plan's order, a chunk for all heads that are still in the
/// race. After each, heads leave whose mean gain over all samples can't be above 0 any more, or can't be
/// among the `places` largest, at the risk (sequential_tests.hpp; the risk of a place is shared by the head's
/// bound and those of the others). With `by_answers` the first alone, exactly. Nobody leaves before
/// twenty samples.
void run_racing_search(search_run& run, const racing_options& options);

}  // namespace act::search
