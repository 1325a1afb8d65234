// The samples of its data file that act-eval scores.
#pragma once

#include <act/tasks/sample.hpp>
#include <act/tasks/selection.hpp>

#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "eval_options.hpp"

namespace act_program {

struct chosen_samples {
  std::vector<act::sample> samples;
  std::size_t left_out = 0;  ///< the heads were found on them
};

/// Those of --limit but for `seen`, which the heads were found on. Throws act::error when none is left.
inline chosen_samples choose(const std::vector<act::sample>& all, const std::set<std::size_t>& seen,
                             const eval_options& options) {
  chosen_samples chosen;
  for (const std::size_t index : act::select_limited(all.size(), options.limit, options.seed)) {
    if (seen.contains(index)) {
      ++chosen.left_out;
    } else {
      chosen.samples.push_back(all[index]);
    }
  }
  if (chosen.samples.empty()) {
    throw act::error(act::error_code::invalid_input, options.data,
                     "every chosen sample was used to find the heads; score other samples, or pass "
                     "--include-search-samples");
  }
  return chosen;
}

}  // namespace act_program
