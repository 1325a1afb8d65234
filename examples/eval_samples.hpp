// The data file that act-eval reads, and which of its samples are scored.
#pragma once

#include <act/tasks/read_samples.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/selection.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "data_identity.hpp"
#include "eval_heads.hpp"
#include "eval_options.hpp"

namespace act_program {

/// A task's data file.
struct scored_data {
  std::vector<act::tasks::sample> all;     ///< its samples
  std::string sha256;                      ///< its hash, as `data_sha256` makes it
  std::vector<act::tasks::sample> chosen;  ///< those to score
  std::size_t left_out = 0;                ///< samples that --limit chose and that the heads were found on
};

/// Chosen are those of --limit but for, unless --include-search-samples, those that the heads were found on.
/// Throws act::error for a file that can't be read, and when no sample is left.
inline scored_data read_data(const act::tasks::task& task, const chosen_heads& heads,
                             const eval_options& options) {
  scored_data data{.all = act::tasks::read_samples(task, options.data),
                   .sha256 = data_sha256(task, options.data),
                   .chosen = {}};
  const std::set<std::size_t> seen =
      options.include_search_samples ? std::set<std::size_t>() : heads.searched_samples(data.sha256);
  for (const std::size_t index : act::tasks::select_limited(data.all.size(), options.limit, options.seed)) {
    if (seen.contains(index)) {
      ++data.left_out;
    } else {
      data.chosen.push_back(data.all[index]);
    }
  }
  if (data.chosen.empty()) {
    throw act::error(act::error_code::invalid_input, options.data,
                     "every chosen sample was used to find the heads; score other samples, or pass "
                     "--include-search-samples");
  }
  return data;
}

}  // namespace act_program
