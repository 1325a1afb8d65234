// act-compare's passes, those that --state has left out.
#pragma once

#include <act/tasks/stored/resumed_scores.hpp>

#include <vector>

namespace act::runtime {
struct model;
}
namespace act::tasks {
class score_state;
}

namespace act_program {

struct compare_options;
struct compared_heads;
struct group;

/// A group's scores, and those of its sets to fit on, in their order.
struct group_scores {
  act::tasks::resumed_scores compared;
  std::vector<act::tasks::resumed_scores> fitting;
};

/// Scores every group; with a state what is there already isn't run again. `groups` stay where they are.
/// Throws `interrupted`, and act::error as act::tasks::resumed_scores does.
[[nodiscard]] std::vector<group_scores> score(const act::runtime::model& model,
                                              const std::vector<group>& groups,
                                              const std::vector<compared_heads>& heads,
                                              act::tasks::score_state* state, const compare_options& options);

}  // namespace act_program
