#include <act/search/selection/cross_validation.hpp>
#include <act/search/selection/forecast.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/statistics/auc.hpp>
#include <act/statistics/bootstrap.hpp>
#include <act/statistics/intervals.hpp>
#include <act/statistics/label_likelihood.hpp>
#include <act/statistics/paired_tests.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

namespace {

using statistics::score_table;

// The scores of a repeat for AUC: those of different folds come from different sets of heads, so their means
// differ; each fold's are taken away (`centred`) and the mean over all samples is given back.
std::vector<double> without_drift(const score_changes& of, std::span<const std::size_t> members,
                                  std::span<const double> raw, std::span<const double> centred) {
  std::vector<double> scores(centred.begin(), centred.end());
  std::vector<double> shift, count;
  for (const std::size_t sample : members) {
    const std::size_t first = of.first(sample), width = of.samples()[sample].scores;
    shift.resize(std::max(shift.size(), width));
    count.resize(shift.size());
    for (std::size_t answer = 0; answer < width; ++answer) {
      shift[answer] += raw[first + answer] - centred[first + answer];
      count[answer] += 1;
    }
  }
  for (const std::size_t sample : members) {
    for (std::size_t answer = 0; answer < of.samples()[sample].scores; ++answer)
      scores[of.first(sample) + answer] += shift[answer] / count[answer];
  }
  return scores;
}

score_table table_of(const score_changes& of, std::span<const std::size_t> members,
                     std::span<const double> scores) {
  score_table table;
  for (const std::size_t sample : members) {
    const std::span<const double> row = of.row(scores, sample);
    table.emplace_back(row.begin(), row.end());
  }
  return table;
}

statistics::outcomes right_answers(const score_table& table, std::span<const std::size_t> labels) {
  statistics::outcomes right;
  for (std::size_t i = 0; i < table.size(); ++i)
    right.push_back(statistics::predicted_label(table[i]) == labels[i]);
  return right;
}

double mean_share(std::span<const statistics::outcomes> runs) {
  const std::vector<double> share = statistics::right_share(runs);
  return std::accumulate(share.begin(), share.end(), 0.0) / static_cast<double>(share.size());
}

statistics::interval widened(const statistics::interval& from, double around, double factor) {
  return {around + (from.lo - around) * factor, around + (from.hi - around) * factor};
}

// Scores of every repeat.
struct repeats_held_back {
  std::vector<held_back_scores> raw, centred;
};

source_forecast forecast_of(const score_changes& of, std::span<const std::size_t> members,
                            const repeats_held_back& held, const statistics::bootstrap_options& resampling,
                            double factor) {
  std::vector<std::size_t> labels;
  for (const std::size_t sample : members)
    labels.push_back(of.samples()[sample].label);
  std::vector<statistics::outcomes> before, after;
  std::vector<score_table> plain, estimate;
  for (std::size_t i = 0; i < held.raw.size(); ++i) {
    const std::vector<double>&raw = held.raw[i].estimate.front(), &centred = held.centred[i].estimate.front();
    plain.push_back(table_of(of, members, of.plain()));
    before.push_back(right_answers(plain.back(), labels));
    after.push_back(right_answers(table_of(of, members, raw), labels));
    estimate.push_back(table_of(of, members, without_drift(of, members, raw, centred)));
  }
  source_forecast made;
  made.source = of.samples()[members.front()].source;
  made.samples = members.size();
  made.accuracy.plain = mean_share(before);
  made.accuracy.calibrated = mean_share(after);
  made.accuracy.gain = made.accuracy.calibrated - made.accuracy.plain;
  if (const auto found = statistics::accuracy_difference_interval(before, after, resampling))
    made.accuracy.gain_interval = widened(*found, made.accuracy.gain, factor);
  const std::optional<double> area_before = statistics::auc(plain, labels),
                              area_after = statistics::auc(estimate, labels);
  const std::optional<statistics::interval> difference =
      statistics::auc_difference_interval(plain, estimate, labels, resampling);
  if (area_before && area_after && difference) {
    const double gain = *area_after - *area_before;
    made.auc = {.plain = *area_before,
                .calibrated = *area_after,
                .gain = gain,
                .gain_interval = widened(*difference, gain, factor)};
  }
  return made;
}

}  // namespace

std::vector<source_forecast> forecast_gain(const selection_rule& rule, const score_changes& of,
                                           const cross_validation_options& outer,
                                           const cross_validation_options& inner) {
  constexpr std::size_t fewest_samples = 10;
  const std::vector<std::size_t> all = all_samples(of);
  if (all.size() < fewest_samples || outer.folds < 2) return {};
  repeats_held_back held;
  for (std::size_t repeat = 0; repeat < outer.repeats; ++repeat) {
    const std::vector<std::size_t> fold_of = folds_of(of, all, outer, repeat);
    std::vector<head_order> chosen;
    held.raw.push_back(hold_back(
        all, fold_of, [&](std::span<const std::size_t>) { return of; },
        [&](std::span<const std::size_t> training) {
          chosen.push_back(choose_set(rule, of, training, inner).heads);
          return std::vector<head_order>{chosen.back()};
        }));
    std::size_t fold = 0;
    held.centred.push_back(hold_back(
        all, fold_of, [&](std::span<const std::size_t> training) { return of.centred(training); },
        [&](std::span<const std::size_t>) { return std::vector<head_order>{chosen[fold++]}; }));
  }
  std::vector<std::vector<std::size_t>> sources;
  for (const std::size_t sample : all) {
    const std::size_t source = of.samples()[sample].source;
    if (sources.size() <= source) sources.resize(source + 1);
    sources[source].push_back(sample);
  }
  const auto folds = static_cast<double>(outer.folds);
  const double factor = std::sqrt(1 + folds / (folds - 1));
  std::vector<source_forecast> made;
  for (const std::vector<std::size_t>& members : sources) {
    if (!members.empty())
      made.push_back(forecast_of(of, members, held, {.resamples = 2000, .seed = outer.seed}, factor));
  }
  return made;
}

}  // namespace act::search
