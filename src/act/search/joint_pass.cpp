#include <act/head_set.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/search/joint_pass.hpp>
#include <act/search/plan.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/score_samples.hpp>

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace act::search {

std::vector<std::vector<double>> joint_scores(const runtime::model& model, const search_plan& plan,
                                              const head_set& heads, const std::vector<double>& strengths,
                                              const std::function<void(std::size_t)>& on_batch) {
  std::vector<std::vector<double>> joint(plan.samples.size());
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
    tasks::sample_scores scores = tasks::score_samples(model, samples,
                                                       runtime::model_calibration{.heads = heads,
                                                                                  .options = plan.options,
                                                                                  .subsets = {},
                                                                                  .masks = plan.masks,
                                                                                  .strengths = strengths},
                                                       on_batch);
    statistics::score_table& table = heads.empty() ? scores.plain : scores.calibrated;
    for (std::size_t i = 0; i < members.size(); ++i)
      joint[members[i]] = std::move(table[i]);
  }
  return joint;
}

}  // namespace act::search
