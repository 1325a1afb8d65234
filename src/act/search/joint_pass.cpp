#include <act/head_set.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/search/joint_pass.hpp>
#include <act/search/plan.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/score_samples.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

std::vector<std::vector<std::vector<double>>> joint_scores_of_each(
    const runtime::model& model, const search_plan& plan, std::span<const joint_set> sets,
    const std::function<void(std::size_t)>& on_batch) {
  std::vector<runtime::model_calibration> calibrations;
  for (const joint_set& set : sets) {
    calibrations.push_back({.heads = set.heads,
                            .options = plan.options,
                            .subsets = {},
                            .masks = plan.masks,
                            .strengths = set.strengths});
  }
  std::vector<std::vector<std::vector<double>>> joint(sets.size(),
                                                      std::vector<std::vector<double>>(plan.samples.size()));
  // Samples of one file are scored alike; of different files, they may not be.
  for (std::size_t source = 0; source < plan.sources.size(); ++source) {
    std::vector<std::size_t> members;
    std::vector<tasks::prepared_sample> samples;
    for (std::size_t i = 0; i < plan.samples.size(); ++i) {
      if (plan.source(i) != source) continue;
      members.push_back(i);
      samples.push_back(plan.samples[i]);
    }
    if (samples.empty()) continue;
    const tasks::scores_of_each scores = tasks::score_with_each(model, samples, calibrations, on_batch);
    for (std::size_t set = 0; set < sets.size(); ++set) {
      const statistics::score_table& table = sets[set].heads.empty() ? scores.plain : scores.calibrated[set];
      for (std::size_t i = 0; i < members.size(); ++i)
        joint[set][members[i]] = table[i];
    }
  }
  return joint;
}

std::vector<std::vector<double>> joint_scores(const runtime::model& model, const search_plan& plan,
                                              const head_set& heads, const std::vector<double>& strengths,
                                              const std::function<void(std::size_t)>& on_batch) {
  const joint_set one{.heads = heads, .strengths = strengths};
  return std::move(joint_scores_of_each(model, plan, {&one, 1}, on_batch).front());
}

}  // namespace act::search
