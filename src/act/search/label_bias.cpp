#include <act/head_set.hpp>
#include <act/search/label_bias.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace act::search {

namespace {

std::vector<double> means_of(std::span<const std::vector<double>> samples) {
  std::vector<double> means(samples.front().size());
  for (const std::vector<double>& sample : samples) {
    for (std::size_t label = 0; label < means.size(); ++label)
      means[label] += sample[label];
  }
  for (double& each : means)
    each /= static_cast<double>(samples.size());
  return means;
}

double absolute_sum(std::span<const double> numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0,
                         [](double sum, double each) { return sum + std::abs(each); });
}

double sum_of(std::span<const double> numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0);
}

}  // namespace

head_criteria criteria_of(layer_head which, std::span<const std::vector<double>> head,
                          std::span<const std::vector<double>> input) {
  const std::vector<double> means = means_of(head);
  const double logits = absolute_sum(means);
  head_criteria made{.layer = which.layer,
                     .head = which.head,
                     .logits = logits,
                     .relatedness = logits / absolute_sum(means_of(input)),
                     .bias = 0,
                     .variation = 0};
  const auto labels = static_cast<double>(means.size());
  const double middle = sum_of(means) / labels;
  for (const double mean : means)
    made.bias += std::abs((middle - mean) / middle) / labels;
  if (head.size() < 2 || !(logits > 0)) return made;
  for (std::size_t label = 0; label < means.size(); ++label) {
    double squares = 0;
    for (const std::vector<double>& sample : head)
      squares += (sample[label] - means[label]) * (sample[label] - means[label]);
    // The label's weight, |mean| / logits, times deviation / |mean|: a mean of 0 divides nothing. Samples
    // that are all the same vary by more than 0, as the published code has it.
    made.variation += (std::sqrt(squares / static_cast<double>(head.size() - 1)) + 1e-10) / logits;
  }
  return made;
}

std::vector<bias_thresholds> published_thresholds() {
  std::vector<bias_thresholds> grid;
  for (const double bias : {0.1, 0.2, 0.3, 0.4, 0.5}) {
    for (const double relatedness : {0.02, 0.05, 0.1, 0.15, 0.2}) {
      for (const double variation : {0.1, 0.15, 0.2, 0.25})
        grid.push_back({.bias = bias, .relatedness = relatedness, .variation = variation});
    }
  }
  return grid;
}

bool is_biased(const head_criteria& head, const bias_thresholds& over) {
  return head.logits > least_label_logits && head.relatedness > over.relatedness && head.bias > over.bias &&
         head.variation > 0 && head.variation < over.variation;
}

std::vector<biased_set> biased_sets(std::span<const head_criteria> heads,
                                    std::span<const bias_thresholds> grid) {
  std::vector<biased_set> sets(1);
  for (const bias_thresholds& each : grid) {
    biased_set set{.heads = {}, .thresholds = each};
    for (const head_criteria& head : heads) {
      if (is_biased(head, each)) set.heads.insert(head.layer, head.head);
    }
    const auto same = [&](const biased_set& other) { return other.heads == set.heads; };
    if (std::none_of(sets.begin(), sets.end(), same)) sets.push_back(set);
  }
  return sets;
}

double label_bias(std::span<const double> probabilities) {
  const auto labels = static_cast<double>(probabilities.size());
  const double middle = sum_of(probabilities) / labels;
  double bias = 0;
  for (const double each : probabilities)
    bias += std::abs(std::log(middle) - std::log(each)) / labels;
  return bias;
}

bool loses_labels(std::span<const std::vector<double>> probabilities, std::size_t number) {
  return number > 0 &&
         !(sum_of(probabilities[number]) > least_label_probability * sum_of(probabilities.front()));
}

std::size_t least_biased(std::span<const std::vector<double>> probabilities) {
  std::size_t best = 0;
  for (std::size_t set = 1; set < probabilities.size(); ++set) {
    if (!loses_labels(probabilities, set) && label_bias(probabilities[set]) < label_bias(probabilities[best]))
      best = set;
  }
  return best;
}

}  // namespace act::search
