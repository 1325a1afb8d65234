#include "search/pick_heads.hpp"

#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/options.hpp>
#include <act/report/progress.hpp>
#include <act/search/joint_pass.hpp>
#include <act/search/plan.hpp>
#include <act/search/selection/objective.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/state.hpp>
#include <act/search/trial_table.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "programs/command_line.hpp"
#include "programs/flags.hpp"
#include "programs/program.hpp"
#include "search/options.hpp"

namespace act_program {

namespace {

using joint_table = std::vector<std::vector<double>>;

/// A search, and what its state keeps of whole passes over its samples.
struct searched {
  const act::runtime::model& model;
  const act::search::search_plan& plan;
  act::search::search_state& state;
  bool quiet;

  /// Scores with each set of heads. Those that aren't known are run together.
  [[nodiscard]] std::vector<joint_table> with(const std::vector<act::search::joint_set>& sets) const {
    std::vector<joint_table> scores(sets.size());
    std::vector<std::size_t> missing;
    std::vector<act::search::joint_set> to_run;
    for (std::size_t i = 0; i < sets.size(); ++i) {
      if (auto known = state.load_joint(name_of(sets[i]), plan.samples)) {
        scores[i] = std::move(*known);
      } else {
        missing.push_back(i);
        to_run.push_back(sets[i]);
      }
    }
    if (missing.empty()) return scores;
    act::report::progress progress("whole passes", plan.samples.size(), quiet);
    std::vector<joint_table> made =
        act::search::joint_scores_of_each(model, plan, to_run, [&](std::size_t count) {
          progress.advance(count);
          stop_if_interrupted();
        });
    for (std::size_t i = 0; i < missing.size(); ++i) {
      state.save_joint(name_of(to_run[i]), made[i]);
      scores[missing[i]] = std::move(made[i]);
    }
    return scores;
  }

 private:
  static std::string name_of(const act::search::joint_set& set) {
    return act::search::heads_name(set.heads, set.strengths);
  }
};

act::search::joint_set set_of(std::span<const act::search::head_evidence> picked) {
  return {.heads = act::search::heads_of(picked), .strengths = act::search::strengths_of(picked)};
}

// The rule that took what was taken.
act::search::selection_rule take_best(const searched& of, const act::search::trial_table& trials,
                                      const act::search::selection_rule& rule, std::size_t count,
                                      act::search::head_selection& picked) {
  std::vector<act::search::alternative_selection> sets =
      act::search::best_alternatives(trials, rule, picked, count);
  std::vector<act::search::joint_set> together;
  for (const act::search::alternative_selection& each : sets)
    together.push_back(set_of(each.picked.heads));
  const std::vector<joint_table> scores = of.with(together);
  std::vector<act::search::measured_set> measured;
  std::size_t best = 0;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    measured.push_back(act::search::measure(trials, sets[i].picked, rule.objective, scores[i]));
    if (measured[i].joint_gain > measured[best].joint_gain) best = i;
  }
  picked = std::move(sets[best].picked);
  picked.measured = std::move(measured);
  picked.taken = best;
  return sets[best].rule;
}

// By likelihood whatever the rule's objective: what that leaves out, the label prior, is what a beta for all
// heads shifts first.
void tune(const searched& of, const act::search::trial_table& trials, const std::vector<double>& betas,
          act::search::head_selection& picked) {
  const act::head_set heads = act::search::heads_of(picked.heads);
  std::vector<act::search::joint_set> sets;
  for (const double beta : betas) {
    sets.push_back({.heads = heads});
    // Without strengths they are run as the trials were, which the state may know from --verify.
    if (beta != of.plan.options.beta) sets.back().strengths.assign(heads.size(), beta);
  }
  const std::vector<joint_table> scores = of.with(sets);
  for (std::size_t i = 0; i < betas.size(); ++i) {
    const double gain =
        act::search::measure(trials, picked, act::search::search_objective::likelihood, scores[i]).joint_gain;
    picked.betas.push_back({.beta = betas[i], .likelihood_gain = gain});
    if (gain > picked.betas[picked.tuned_to].likelihood_gain) picked.tuned_to = i;
  }
}

}  // namespace

std::vector<double> betas_to_try(const command_line& line, const search_options& options,
                                 const act::search::search_plan& plan) {
  if (!line.given("--tune-beta")) return {};
  const auto refuse = [](const std::string& why) {
    throw act::error(act::error_code::invalid_option, "--tune-beta", why);
  };
  if (plan.masks) refuse("doesn't go with --mask, which leaves nothing of a head");
  if (!plan.strengths.empty())
    refuse("is one beta for all heads; several strengths, --betas or --factors, are each head's own");
  if (plan.options.redistribute == act::redistribution::renormalised)
    refuse("is for other columns' rows than renormalised ones, which have --factor");
  if (plan.options.redistribute == act::redistribution::temperature)
    refuse("has no meaning with a temperature, which has --theta");
  if (!options.shard.empty()) refuse("is about picked heads, and --shard picks none; give it with --merge");
  return parse_strengths(options.tune_beta, "--tune-beta", strength_kind::beta);
}

act::search::head_selection pick_heads(const act::runtime::model& model, const act::search::search_plan& plan,
                                       act::search::search_state& state,
                                       const act::search::trial_table& trials,
                                       const act::search::selection_rule& rule,
                                       const std::vector<double>& betas, const search_options& options) {
  const searched of{model, plan, state, options.common.quiet};
  act::search::head_selection picked = act::search::select_heads(trials, rule);
  if (picked.heads.empty()) return picked;
  act::search::selection_rule taken_by = rule;
  if (options.verify_best > 0)
    taken_by = take_best(of, trials, rule, static_cast<std::size_t>(options.verify_best), picked);
  picked.forecast = act::search::forecast_selection(trials, taken_by);
  if (options.verify || options.verify_best > 0)
    picked.verified = act::search::verify_selection(trials, picked, of.with({set_of(picked.heads)}).front());
  if (!betas.empty()) tune(of, trials, betas, picked);
  return picked;
}

}  // namespace act_program
