// A search that estimates every trial and runs exactly those that decide which heads are picked.
#pragma once

#include <act/runtime/model.hpp>
#include <act/search/plan.hpp>
#include <act/search/search_run.hpp>
#include <act/search/state.hpp>
#include <act/search/strategy.hpp>

#include <cstddef>
#include <string>

namespace act::search {

struct ranked_options {
  double budget = 0.33;            ///< the share of the exact trials' rows that estimates and trials may take
  std::size_t places = 0;          ///< how many heads will be picked; 0: those that gain
  double estimates_at_most = 0.5;  ///< what estimates may take of the exact trials' rows to be worth it
  worth_function worth;
};

/// Every trial is estimated to first order (head_attribution.hpp), which takes as many passes over a sample
/// as it has answers, however many heads there are. Heads far from where the rule will cut (by `worth`) are
/// then counted by their estimates (trial_table::estimated); those around it, the place above the cut, the
/// one below, the next above and so on, are tried exactly on all samples until the budget is used up. Where
/// estimates take more than `estimates_at_most` of what the exact trials would, as in a small model with few
/// heads, they are given up after the first chunk and everything is tried.
void run_ranked_search(search_run& run, const ranked_options& options);

/// The same in this process, what `state` doesn't hold yet, from a plan with estimates.
[[nodiscard]] search_outcome run_ranked_search(const runtime::model& model, const search_plan& plan,
                                               search_state& state, const ranked_options& options,
                                               const search_progress& progress = {});

/// What search_plan::strategy says of such a search, whose results depend on the rule.
[[nodiscard]] std::string ranked_record(const std::string& select, const std::string& objective,
                                        double budget);

}  // namespace act::search
