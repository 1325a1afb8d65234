#include <act/error.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/search/selection/verification.hpp>
#include <act/statistics/auc.hpp>
#include <act/statistics/label_likelihood.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace act::search {

namespace {

double accuracy_of(const statistics::score_table& scores, std::span<const std::size_t> labels) {
  double right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    right += statistics::predicted_label(scores[i]) == labels[i] ? 1 : 0;
  return right / static_cast<double>(labels.size());
}

std::optional<double> area_of(const statistics::score_table& scores, std::span<const std::size_t> labels) {
  return statistics::auc({&scores, 1}, labels);
}

}  // namespace

std::vector<source_verification> verify(const score_changes& of, std::span<const std::size_t> set,
                                        std::span<const std::vector<double>> joint) {
  bool fits = joint.size() == of.samples().size();
  for (std::size_t i = 0; i < joint.size() && fits; ++i)
    fits = joint[i].size() == of.samples()[i].scores;
  if (!fits) throw error(error_code::invalid_shape, "joint", "must have as many scores as the trials");

  const std::vector<double> estimate = of.estimate(set);
  std::size_t sources = 0;
  for (const table_sample& each : of.samples())
    sources = sources > each.source ? sources : each.source + 1;
  std::vector<source_verification> made;
  for (std::size_t source = 0; source < sources; ++source) {
    statistics::score_table plain, estimated, whole;
    std::vector<std::size_t> labels;
    for (std::size_t i = 0; i < joint.size(); ++i) {
      if (of.samples()[i].source != source) continue;
      const std::span<const double> before = of.row(of.plain(), i), sum = of.row(estimate, i);
      plain.emplace_back(before.begin(), before.end());
      estimated.emplace_back(sum.begin(), sum.end());
      whole.push_back(joint[i]);
      labels.push_back(of.samples()[i].label);
    }
    if (labels.empty()) continue;
    source_verification one{.source = source,
                            .samples = labels.size(),
                            .accuracy = {.plain = accuracy_of(plain, labels),
                                         .estimated = accuracy_of(estimated, labels),
                                         .joint = accuracy_of(whole, labels)},
                            .auc = {}};
    const std::optional<double> area = area_of(plain, labels), area_estimated = area_of(estimated, labels),
                                area_joint = area_of(whole, labels);
    if (area && area_estimated && area_joint)
      one.auc = {.plain = *area, .estimated = *area_estimated, .joint = *area_joint};
    made.push_back(one);
  }
  return made;
}

}  // namespace act::search
