#include <act/search/selection/objective.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/statistics/label_likelihood.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace act::search {

namespace {

struct named_objective {
  search_objective objective;
  std::string_view name;
};

constexpr std::array<named_objective, 6> objectives{{{search_objective::accuracy, "accuracy"},
                                                     {search_objective::likelihood, "likelihood"},
                                                     {search_objective::centred, "centred"},
                                                     {search_objective::mixed, "mixed"},
                                                     {search_objective::auc, "auc"},
                                                     {search_objective::entropy, "entropy"}}};

// One sample's score difference between two labels.
struct margin {
  double value = 0;
  std::size_t at = 0;  // position in `over`
  bool upper = false;  // of the label whose difference should be larger
};

// The share of the others that each margin lies on the right side of, ties a half. `margins` in any order.
void placements(std::vector<margin>& margins, std::span<double> placed, double lower, double upper) {
  std::sort(margins.begin(), margins.end(),
            [](const margin& a, const margin& b) { return a.value < b.value; });
  double lower_before = 0, upper_before = 0;
  for (std::size_t i = 0; i < margins.size();) {
    std::size_t end = i;
    double lower_tied = 0, upper_tied = 0;
    for (; end < margins.size() && margins[end].value == margins[i].value; ++end)
      (margins[end].upper ? upper_tied : lower_tied) += 1;
    for (; i < end; ++i) {
      placed[margins[i].at] = margins[i].upper ? (lower_before + lower_tied / 2) / lower
                                               : (upper - upper_before - upper_tied + upper_tied / 2) / upper;
    }
    lower_before += lower_tied;
    upper_before += upper_tied;
  }
}

// Hand and Till's M of one source's samples as pseudo-values. `members` are positions in `over`.
void order_values(const score_changes& of, std::span<const double> scores, std::span<const std::size_t> over,
                  std::span<const std::size_t> members, std::span<double> values) {
  std::vector<std::vector<std::size_t>> by_label;
  std::size_t fewest_scores = std::numeric_limits<std::size_t>::max();
  for (const std::size_t at : members) {
    const table_sample& sample = of.samples()[over[at]];
    if (by_label.size() <= sample.label) by_label.resize(sample.label + 1);
    by_label[sample.label].push_back(at);
    fewest_scores = std::min(fewest_scores, sample.scores);
  }
  // A label that some sample has no score for can't be compared by it.
  by_label.resize(std::min(by_label.size(), fewest_scores));

  double total = 0;
  std::size_t pairs = 0;
  std::vector<double> influence(over.size()), placed(over.size());
  std::vector<margin> margins;
  for (std::size_t low = 0; low < by_label.size(); ++low) {
    for (std::size_t high = low + 1; high < by_label.size(); ++high) {
      if (by_label[low].empty() || by_label[high].empty()) continue;
      margins.clear();
      for (const std::size_t label : {low, high}) {
        for (const std::size_t at : by_label[label]) {
          const std::span<const double> row = of.row(scores, over[at]);
          margins.push_back({.value = row[high] - row[low], .at = at, .upper = label == high});
        }
      }
      const auto lower = static_cast<double>(by_label[low].size()),
                 upper = static_cast<double>(by_label[high].size());
      placements(margins, placed, lower, upper);
      double area = 0;
      for (const std::size_t at : by_label[high])
        area += placed[at] / upper;
      for (const std::size_t at : by_label[low])
        influence[at] += (placed[at] - area) / lower;
      for (const std::size_t at : by_label[high])
        influence[at] += (placed[at] - area) / upper;
      total += area;
      ++pairs;
    }
  }
  const double mean = pairs > 0 ? total / static_cast<double>(pairs) : 0.5;
  const double scale = pairs > 0 ? static_cast<double>(members.size()) / static_cast<double>(pairs) : 0.0;
  for (const std::size_t at : members)
    values[at] = mean + scale * influence[at];
}

// The share of a sample's wrong answers that score less than its right one.
double beaten_answers(std::span<const double> row, std::size_t label) {
  double beaten = 0;
  for (std::size_t answer = 0; answer < row.size(); ++answer) {
    if (answer != label) beaten += row[answer] < row[label] ? 1 : row[answer] == row[label] ? 0.5 : 0;
  }
  return row.size() > 1 ? beaten / static_cast<double>(row.size() - 1) : 1;
}

void ordered_pairs(const score_changes& of, std::span<const double> scores, std::span<const std::size_t> over,
                   std::span<double> values) {
  std::vector<std::vector<std::size_t>> members;
  for (std::size_t at = 0; at < over.size(); ++at) {
    const table_sample& sample = of.samples()[over[at]];
    if (sample.own_answers) {
      values[at] = beaten_answers(of.row(scores, over[at]), sample.label);
    } else {
      if (members.size() <= sample.source) members.resize(sample.source + 1);
      members[sample.source].push_back(at);
    }
  }
  for (const std::vector<std::size_t>& source : members) {
    if (!source.empty()) order_values(of, scores, over, source, values);
  }
}

// The entropy of the answers' probabilities, times -1.
double certainty(std::span<const double> row) noexcept {
  double sum = 0;
  for (std::size_t answer = 0; answer < row.size(); ++answer) {
    const double logarithm = statistics::label_log_likelihood(row, answer);
    sum += std::exp(logarithm) * logarithm;
  }
  return sum;
}

// Of an objective that looks at one sample alone.
double value_of(search_objective objective, const score_changes& of, std::span<const double> scores,
                std::size_t sample) noexcept {
  const std::span<const double> row = of.row(scores, sample);
  const std::size_t label = of.samples()[sample].label;
  if (objective == search_objective::accuracy) return statistics::predicted_label(row) == label ? 1 : 0;
  if (objective == search_objective::entropy) return certainty(row);
  if (objective == search_objective::mixed) {
    const std::size_t half = row.size() / 2;
    return mixed_likelihood * statistics::label_log_likelihood(row.first(half), label) +
           statistics::label_log_likelihood(row.subspan(half), label);
  }
  return statistics::label_log_likelihood(row, label);
}

}  // namespace

score_changes seen_by(search_objective objective, const score_changes& of,
                      std::span<const std::size_t> over) {
  switch (objective) {
    case search_objective::centred:
    case search_objective::auc:
      return of.centred(over);
    case search_objective::mixed:
      return of.beside_centred(over);
    case search_objective::accuracy:
    case search_objective::likelihood:
    case search_objective::entropy:
      break;
  }
  return of;
}

std::string_view name_of(search_objective objective) noexcept {
  return objectives[static_cast<std::size_t>(objective)].name;
}

std::optional<search_objective> find_objective(std::string_view name) noexcept {
  for (const named_objective& each : objectives) {
    if (each.name == name) return each.objective;
  }
  return std::nullopt;
}

std::vector<double> sample_values(search_objective objective, const score_changes& of,
                                  std::span<const double> scores, std::span<const std::size_t> over) {
  std::vector<double> values(over.size());
  if (objective == search_objective::auc) {
    ordered_pairs(of, scores, over, values);
  } else {
    for (std::size_t at = 0; at < over.size(); ++at)
      values[at] = value_of(objective, of, scores, over[at]);
  }
  return values;
}

double mean_value(search_objective objective, const score_changes& of, std::span<const double> scores,
                  std::span<const std::size_t> over, std::span<const double> weights) {
  double mean = 0;
  if (objective == search_objective::auc) {
    const std::vector<double> values = sample_values(objective, of, scores, over);
    mean = std::inner_product(values.begin(), values.end(), weights.begin(), 0.0);
  } else {
    for (std::size_t at = 0; at < over.size(); ++at)
      mean += weights[at] * value_of(objective, of, scores, over[at]);
  }
  return mean;
}

double head_gain::t() const noexcept {
  if (standard_error > 0) return mean / standard_error;
  if (mean == 0) return 0;
  return std::copysign(std::numeric_limits<double>::infinity(), mean);
}

std::vector<double> sample_gains(search_objective objective, const score_changes& of,
                                 std::span<const std::size_t> over) {
  const std::vector<double> before = sample_values(objective, of, of.plain(), over);
  std::vector<double> gains;
  gains.reserve(of.heads().size() * over.size());
  for (std::size_t head = 0; head < of.heads().size(); ++head) {
    const std::array<std::size_t, 1> alone{head};
    const std::vector<double> after = sample_values(objective, of, of.estimate(alone), over);
    for (std::size_t at = 0; at < over.size(); ++at)
      gains.push_back(after[at] - before[at]);
  }
  return gains;
}

std::vector<source_gain> gains_by_source(const score_changes& of, std::span<const double> gains,
                                         std::span<const std::size_t> over) {
  std::vector<source_gain> sources;
  for (std::size_t at = 0; at < over.size(); ++at) {
    const std::size_t source = of.samples()[over[at]].source;
    if (sources.size() <= source) sources.resize(source + 1);
    source_gain& sum = sources[source];
    sum.samples += 1;
    const double step = gains[at] - sum.mean;
    sum.mean += step / sum.samples;
    sum.variance += step * (gains[at] - sum.mean);  // so far: the sum of squares around the mean
  }
  std::erase_if(sources, [](const source_gain& each) { return each.samples == 0; });
  for (source_gain& each : sources)
    each.variance = each.samples < 2 ? 0 : each.variance / (each.samples - 1) / each.samples;
  return sources;
}

head_gain gain_of(const score_changes& of, std::span<const double> gains, std::span<const std::size_t> over) {
  const std::vector<source_gain> sources = gains_by_source(of, gains, over);
  const auto count = static_cast<double>(sources.size());
  // One sample alone says nothing of how others vary: as those of the other sources do, or nobody knows.
  double squares = 0, degrees = 0;
  for (const source_gain& each : sources) {
    if (each.samples < 2) continue;
    squares += each.variance * each.samples * (each.samples - 1);
    degrees += each.samples - 1;
  }
  const double of_one = degrees > 0 ? squares / degrees : std::numeric_limits<double>::infinity();
  double mean = 0, variance = 0, denominator = 0;
  for (const source_gain& each : sources) {
    mean += each.mean / count;
    const bool alone = each.samples < 2;
    const double part = (alone ? of_one : each.variance) / (count * count);
    variance += part;
    if (std::isfinite(part)) denominator += part * part / (alone ? degrees : each.samples - 1);
  }
  return {.mean = mean,
          .standard_error = std::sqrt(variance),
          .freedom = denominator > 0 ? variance * variance / denominator
                                     : std::max(1.0, static_cast<double>(over.size()) - count)};
}

}  // namespace act::search
