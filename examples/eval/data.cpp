#include "eval/data.hpp"

#include <act/error.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/selection.hpp>

#include <set>

#include "eval/heads.hpp"
#include "eval/options.hpp"
#include "programs/data_identity.hpp"

namespace act_program {

scored_data read_data(const act::tasks::task& task, const chosen_heads& heads, const eval_options& options) {
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
