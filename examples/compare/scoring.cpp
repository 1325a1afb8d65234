#include "compare/scoring.hpp"

#include <act/report/progress.hpp>
#include <act/runtime/model_calibration.hpp>

#include <cstddef>
#include <iostream>
#include <span>
#include <utility>

#include "compare/compared_heads.hpp"
#include "compare/groups.hpp"
#include "compare/options.hpp"
#include "programs/program.hpp"

namespace act_program {

std::vector<group_scores> score(const act::runtime::model& model, const std::vector<group>& groups,
                                const std::vector<compared_heads>& heads, act::tasks::score_state* state,
                                const compare_options& options) {
  const auto asked = [&](std::span<const act::tasks::prepared_sample> samples,
                         std::span<const std::size_t> with) {
    std::vector<act::runtime::model_calibration> calibrations;
    for (const std::size_t i : with)
      calibrations.push_back(heads[i].calibration);
    return act::tasks::resumed_scores(samples, std::move(calibrations), state);
  };
  std::vector<group_scores> all;
  for (const group& each : groups) {
    group_scores& of = all.emplace_back(group_scores{asked(each.samples, each.heads), {}});
    for (const fitting_set& set : each.fitting)
      of.fitting.push_back(asked(set.samples, set.heads));
  }
  std::size_t known = 0, count = 0;
  const auto add = [&](const act::tasks::resumed_scores& each) {
    known += each.known();
    count += each.count();
  };
  for (const group_scores& of : all) {
    add(of.compared);
    for (const act::tasks::resumed_scores& each : of.fitting)
      add(each);
  }
  if (known > 0 && !options.common.quiet)
    std::cerr << "act-compare: " << known << " of " << count << " scores are in " << options.state << '\n';
  act::report::progress progress("scoring", count, options.common.quiet, known);
  const auto advance = [&](std::size_t scores) {
    progress.advance(scores);
    stop_if_interrupted();
  };
  try {
    for (group_scores& of : all) {
      of.compared.run(model, advance);
      for (act::tasks::resumed_scores& each : of.fitting)
        each.run(model, advance);
    }
  } catch (const interrupted&) {
    if (state == nullptr) throw;
    throw interrupted("the same command goes on from " + options.state);
  }
  return all;
}

}  // namespace act_program
