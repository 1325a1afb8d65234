#include <act/error.hpp>
#include <act/statistics/label_likelihood.hpp>
#include <act/statistics/label_map.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace act::statistics {

namespace {

// Solves A x = b in place of b for a symmetric positive definite A, [n, n], by Cholesky's factors. False when
// A isn't.
bool solve(std::vector<double>& a, std::vector<double>& b) {
  const std::size_t n = b.size();
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j; i < n; ++i) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k)
        sum -= a[i * n + k] * a[j * n + k];
      if (i == j && !(sum > 0)) return false;
      a[i * n + j] = i == j ? std::sqrt(sum) : sum / a[j * n + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k)
      b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k)
      b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
  return true;
}

// Multinomial logistic regression: scores of label l are offset[l] + theta[l] . features.
struct regression {
  std::size_t labels = 0;
  std::vector<std::vector<double>> features;  // of each sample; the last one is 1
  score_table offsets;                        // of each sample, one a label; empty: 0
  std::vector<std::size_t> right;
  std::vector<double> penalties;  // of each feature

  [[nodiscard]] std::size_t width() const { return penalties.size(); }

  void scores_of(std::size_t sample, const std::vector<double>& theta, std::vector<double>& scores) const {
    scores.assign(labels, 0.0);
    for (std::size_t l = 0; l < labels; ++l) {
      if (!offsets.empty()) scores[l] = offsets[sample][l];
      for (std::size_t f = 0; f < width(); ++f)
        scores[l] += theta[l * width() + f] * features[sample][f];
    }
  }

  // Mean log-likelihood lost a sample, and the penalty.
  [[nodiscard]] double loss(const std::vector<double>& theta) const {
    double sum = 0;
    std::vector<double> scores;
    for (std::size_t i = 0; i < right.size(); ++i) {
      scores_of(i, theta, scores);
      sum -= label_log_likelihood(scores, right[i]);
    }
    sum /= static_cast<double>(right.size());
    for (std::size_t at = 0; at < theta.size(); ++at)
      sum += 0.5 * penalties[at % width()] * theta[at] * theta[at];
    return sum;
  }

  // Gradient and second derivatives of the loss.
  void derivatives(const std::vector<double>& theta, std::vector<double>& gradient,
                   std::vector<double>& curvature) const {
    const std::size_t size = theta.size();
    const double share = 1.0 / static_cast<double>(right.size());
    gradient.assign(size, 0.0);
    curvature.assign(size * size, 0.0);
    std::vector<double> scores;
    for (std::size_t i = 0; i < right.size(); ++i) {
      scores_of(i, theta, scores);
      for (std::size_t l = 0; l < labels; ++l) {
        const double p = std::exp(label_log_likelihood(scores, l));
        for (std::size_t f = 0; f < width(); ++f) {
          gradient[l * width() + f] += share * (p - (l == right[i] ? 1.0 : 0.0)) * features[i][f];
        }
        for (std::size_t m = 0; m <= l; ++m) {
          const double weight =
              share * p * ((l == m ? 1.0 : 0.0) - std::exp(label_log_likelihood(scores, m)));
          for (std::size_t f = 0; f < width(); ++f) {
            double* const row = &curvature[(l * width() + f) * size + m * width()];
            for (std::size_t g = 0; g < width(); ++g)
              row[g] += weight * features[i][f] * features[i][g];
          }
        }
      }
    }
    for (std::size_t at = 0; at < size; ++at) {
      gradient[at] += penalties[at % width()] * theta[at];
      curvature[at * size + at] += penalties[at % width()];
    }
  }

  // Newton's method with steps that are halved until they help.
  [[nodiscard]] std::vector<double> fit() const {
    constexpr std::size_t most_steps = 100;
    std::vector<double> theta(labels * width(), 0.0), step, curvature;
    double reached = loss(theta);
    for (std::size_t count = 0; count < most_steps; ++count) {
      derivatives(theta, step, curvature);
      const double steepest = std::abs(*std::max_element(
          step.begin(), step.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
      if (steepest < 1e-10 || !solve(curvature, step)) break;
      double length = 1;
      std::vector<double> next = theta;
      double there = reached;
      for (; length > 1e-6; length /= 2) {
        for (std::size_t at = 0; at < theta.size(); ++at)
          next[at] = theta[at] - length * step[at];
        there = loss(next);
        if (there < reached) break;
      }
      if (!(there < reached)) break;
      theta = next;
      reached = there;
    }
    return theta;
  }
};

// Scores of one label over all samples: mean and spread.
struct standard_scale {
  double mean = 0, spread = 1;
};

std::vector<standard_scale> scales_of(const score_table& scores) {
  std::vector<standard_scale> scales(scores.front().size());
  for (std::size_t l = 0; l < scales.size(); ++l) {
    double sum = 0, squares = 0;
    for (const std::vector<double>& row : scores)
      sum += row[l];
    scales[l].mean = sum / static_cast<double>(scores.size());
    for (const std::vector<double>& row : scores)
      squares += (row[l] - scales[l].mean) * (row[l] - scales[l].mean);
    const double spread = std::sqrt(squares / static_cast<double>(scores.size()));
    scales[l].spread = spread > 0 ? spread : 1;
  }
  return scales;
}

label_map fit_with(const score_table& scores, std::span<const std::size_t> labels, label_map_kind kind,
                   double penalty) {
  // The likelihood doesn't say where all biases together lie; this does, and keeps that of a label without
  // samples finite.
  constexpr double penalty_of_free_bias = 1e-6;
  const std::size_t count = scores.front().size();
  regression model{.labels = count,
                   .features = {},
                   .offsets = {},
                   .right = {labels.begin(), labels.end()},
                   .penalties = {}};
  label_map map{.bias = std::vector<double>(count),
                .weights = std::vector<std::vector<double>>(count, std::vector<double>(count)),
                .penalty = penalty};
  if (kind == label_map_kind::bias) {
    model.features.assign(scores.size(), {1.0});
    model.offsets = scores;
    model.penalties = {std::max(penalty, penalty_of_free_bias)};
    map.bias = model.fit();
    for (std::size_t l = 0; l < count; ++l)
      map.weights[l][l] = 1;
    return map;
  }
  const std::vector<standard_scale> scales = scales_of(scores);
  for (const std::vector<double>& row : scores) {
    std::vector<double>& features = model.features.emplace_back();
    for (std::size_t l = 0; l < count; ++l)
      features.push_back((row[l] - scales[l].mean) / scales[l].spread);
    features.push_back(1);
  }
  model.penalties.assign(count, penalty);
  model.penalties.push_back(penalty_of_free_bias);
  const std::vector<double> theta = model.fit();
  for (std::size_t l = 0; l < count; ++l) {
    map.bias[l] = theta[l * (count + 1) + count];
    for (std::size_t s = 0; s < count; ++s) {
      map.weights[l][s] = theta[l * (count + 1) + s] / scales[s].spread;
      map.bias[l] -= map.weights[l][s] * scales[s].mean;
    }
  }
  return map;
}

// Whether a map is defined at all.
bool can_be_fitted(const score_table& scores, std::span<const std::size_t> labels) {
  if (scores.size() != labels.size())
    throw error(error_code::invalid_shape, "labels", "must be one for each row of scores");
  bool same_count = true, finite = true, several = false;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (labels[i] >= scores[i].size())
      throw error(error_code::invalid_shape, "labels", "must each have a score");
    same_count = same_count && scores[i].size() == scores.front().size();
    finite =
        finite && std::all_of(scores[i].begin(), scores[i].end(), [](double s) { return std::isfinite(s); });
    several = several || labels[i] != labels.front();
  }
  return scores.size() >= 10 && same_count && finite && several;
}

// Which fold each sample is held out in: each label's samples in turn.
std::vector<std::size_t> dealt_out(std::span<const std::size_t> labels, std::size_t folds) {
  std::vector<std::size_t> fold(labels.size()), of_label(1 + *std::max_element(labels.begin(), labels.end()));
  for (std::size_t i = 0; i < labels.size(); ++i)
    fold[i] = (labels[i] + of_label[labels[i]]++) % folds;
  return fold;
}

}  // namespace

std::vector<double> label_map::operator()(std::span<const double> scores) const {
  std::vector<double> mapped = bias;
  for (std::size_t l = 0; l < mapped.size(); ++l) {
    for (std::size_t s = 0; s < scores.size(); ++s)
      mapped[l] += weights[l][s] * scores[s];
  }
  return mapped;
}

score_table label_map::operator()(const score_table& scores) const {
  score_table mapped;
  for (const std::vector<double>& row : scores)
    mapped.push_back((*this)(row));
  return mapped;
}

std::optional<label_map> fit_label_map(const score_table& scores, std::span<const std::size_t> labels,
                                       label_map_kind kind, double penalty) {
  if (!(penalty >= 0 && std::isfinite(penalty)))
    throw error(error_code::invalid_option, "penalty", "must be a finite number from 0 on");
  if (!can_be_fitted(scores, labels)) return std::nullopt;
  return fit_with(scores, labels, kind, penalty);
}

std::optional<label_map> fit_label_map(const score_table& scores, std::span<const std::size_t> labels,
                                       label_map_kind kind) {
  constexpr std::array<double, 6> penalties{10, 1, 1e-1, 1e-2, 1e-3, 1e-4};
  constexpr std::size_t folds = 5;
  if (!can_be_fitted(scores, labels)) return std::nullopt;
  const std::vector<std::size_t> fold = dealt_out(labels, folds);
  double best = 0, most_likely = -std::numeric_limits<double>::infinity();
  for (const double penalty : penalties) {
    double sum = 0;
    for (std::size_t held = 0; held < folds; ++held) {
      score_table seen;
      std::vector<std::size_t> seen_labels;
      for (std::size_t i = 0; i < scores.size(); ++i) {
        if (fold[i] == held) continue;
        seen.push_back(scores[i]);
        seen_labels.push_back(labels[i]);
      }
      const label_map map = fit_with(seen, seen_labels, kind, penalty);
      for (std::size_t i = 0; i < scores.size(); ++i) {
        if (fold[i] == held) sum += label_log_likelihood(map(scores[i]), labels[i]);
      }
    }
    if (sum > most_likely) {
      most_likely = sum;
      best = penalty;
    }
  }
  return fit_with(scores, labels, kind, best);
}

}  // namespace act::statistics
