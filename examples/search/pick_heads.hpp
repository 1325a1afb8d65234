// What act-search does with the trials: picks heads by the rule, and runs them together where it is asked to.
#pragma once

#include <act/search/selection/select_heads.hpp>

#include <vector>

namespace act::runtime {
struct model;
}
namespace act::search {
class search_state;
struct search_plan;
struct selection_rule;
class trial_table;
}  // namespace act::search

namespace act_program {

class command_line;
struct search_options;

/// --tune-beta's betas, ascending; none where it isn't given. Throws act::error (invalid_option) for a search
/// whose heads' strength is no beta, or one each.
[[nodiscard]] std::vector<double> betas_to_try(const command_line& line, const search_options& options,
                                               const act::search::search_plan& plan);

/// What the rule picks; with --verify-best the best of its sets by whole passes over the search samples, then
/// the best of `betas`. The state keeps what is run. Throws `interrupted`.
[[nodiscard]] act::search::head_selection pick_heads(
    const act::runtime::model& model, const act::search::search_plan& plan, act::search::search_state& state,
    const act::search::trial_table& trials, const act::search::selection_rule& rule,
    const std::vector<double>& betas, const search_options& options);

}  // namespace act_program
