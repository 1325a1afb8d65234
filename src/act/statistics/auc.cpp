#include <act/error.hpp>
#include <act/statistics/auc.hpp>
#include <act/statistics/bootstrap.hpp>
#include <act/statistics/intervals.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

namespace act::statistics {

namespace {

// The samples in the order of one label's score, made once: any resample's AUC is then one pass over it.
class ranked_samples {
 public:
  /// `score[i]` without NaN; `positive[i]` whether sample i has the label.
  ranked_samples(const std::vector<double>& score, const std::vector<bool>& positive) : order_(score.size()) {
    std::vector<std::uint32_t> by_score(score.size());
    std::iota(by_score.begin(), by_score.end(), 0U);
    std::sort(by_score.begin(), by_score.end(),
              [&](std::uint32_t a, std::uint32_t b) { return score[a] < score[b]; });
    for (std::size_t i = 0; i < by_score.size(); ++i) {
      const bool last = i + 1 == by_score.size() || score[by_score[i]] != score[by_score[i + 1]];
      order_[i] = {by_score[i], positive[by_score[i]], last};
    }
  }

  /// AUC when sample i counts counts[i] times; NaN without positives or negatives. Sums of pairs are integers
  /// and exact: a tie counts half, so twice the area is summed. O(n).
  [[nodiscard]] double area(std::span<const std::uint32_t> counts) const noexcept {
    std::uint64_t twice_area = 0, negatives = 0, positives = 0, tied[2] = {0, 0};
    for (const entry& at : order_) {
      tied[at.positive] += counts[at.sample];
      if (at.last_of_tie) {
        twice_area += tied[1] * (2 * negatives + tied[0]);
        negatives += tied[0];
        positives += tied[1];
        tied[0] = tied[1] = 0;
      }
    }
    if (negatives == 0 || positives == 0) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    return static_cast<double>(twice_area) /
           (2.0 * static_cast<double>(negatives) * static_cast<double>(positives));
  }

 private:
  struct entry {
    std::uint32_t sample;
    bool positive;
    bool last_of_tie;
  };
  std::vector<entry> order_;
};

// A run's labels, ranked: two labels by their score difference, more by their softmaxed scores, one ranking
// each.
class ranked_run {
 public:
  ranked_run(const score_table& scores, std::span<const std::size_t> labels) {
    if (scores.size() != labels.size()) {
      throw error(error_code::invalid_shape, "labels", "must be as many as there are rows of scores");
    }
    std::size_t width = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      width = std::max(width, scores[i].size());
      if (labels[i] >= scores[i].size()) {
        throw error(error_code::invalid_shape, "labels", "must each have a score in its sample's row");
      }
    }
    if (width == 2 &&
        std::all_of(scores.begin(), scores.end(), [](const auto& row) { return row.size() == 2; })) {
      std::vector<double> difference;
      for (const auto& row : scores) {
        difference.push_back(row[1] - row[0]);
      }
      add(difference, labels, 1);
      return;
    }
    const score_table shares = softmaxed(scores, width);
    for (std::size_t label = 0; label < width; ++label) {
      std::vector<double> share;
      for (const auto& row : shares) {
        share.push_back(row[label]);
      }
      if (std::find(labels.begin(), labels.end(), label) != labels.end()) {
        add(share, labels, label);
      }
    }
  }

  /// Mean over the labels that have positives and negatives among the counted samples; NaN when none has, or
  /// when the scores held a NaN.
  [[nodiscard]] double area(std::span<const std::uint32_t> counts) const noexcept {
    double sum = 0, defined = 0;
    for (const ranked_samples& ranking : rankings_) {
      const double one = ranking.area(counts);
      sum += std::isnan(one) ? 0 : one;
      defined += !std::isnan(one);
    }
    return broken_ || defined == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / defined;
  }

 private:
  void add(const std::vector<double>& score, std::span<const std::size_t> labels, std::size_t label) {
    broken_ = broken_ || std::any_of(score.begin(), score.end(), [](double s) { return std::isnan(s); });
    if (broken_) {
      return;  // NaN has no place in an order
    }
    std::vector<bool> positive;
    for (const std::size_t each : labels) {
      positive.push_back(each == label);
    }
    rankings_.emplace_back(score, positive);
  }

  /// Rows of `width`; a label the sample doesn't have gets share 0.
  static score_table softmaxed(const score_table& scores, std::size_t width) {
    score_table shares;
    for (const auto& row : scores) {
      const double largest = *std::max_element(row.begin(), row.end());
      double sum = 0;
      std::vector<double>& share = shares.emplace_back(width, 0.0);
      for (std::size_t label = 0; label < row.size(); ++label) {
        share[label] = std::exp(row[label] - largest);
        sum += share[label];
      }
      for (double& each : share) {
        each /= sum;
      }
    }
    return shares;
  }

  std::vector<ranked_samples> rankings_;
  bool broken_ = false;
};

class ranked_runs {
 public:
  ranked_runs(std::span<const score_table> runs, std::span<const std::size_t> labels) {
    for (const score_table& run : runs) {
      runs_.emplace_back(run, labels);
    }
  }

  /// Mean over the runs; NaN when one has none.
  [[nodiscard]] double area(std::span<const std::uint32_t> counts) const noexcept {
    double sum = 0;
    for (const ranked_run& run : runs_) {
      sum += run.area(counts);
    }
    return sum / static_cast<double>(runs_.size());
  }

 private:
  std::vector<ranked_run> runs_;
};

}  // namespace

std::optional<double> auc(std::span<const score_table> runs, std::span<const std::size_t> labels) {
  const std::vector<std::uint32_t> once(labels.size(), 1U);
  const double area = ranked_runs(runs, labels).area(once);
  return std::isnan(area) ? std::nullopt : std::optional(area);
}

std::optional<interval> auc_interval(std::span<const score_table> runs, std::span<const std::size_t> labels,
                                     const bootstrap_options& options) {
  const ranked_runs ranked(runs, labels);
  return bootstrap_interval(
      labels.size(), [&](std::span<const std::uint32_t> counts) noexcept { return ranked.area(counts); },
      options);
}

std::optional<interval> auc_difference_interval(std::span<const score_table> baseline,
                                                std::span<const score_table> calibrated,
                                                std::span<const std::size_t> labels,
                                                const bootstrap_options& options) {
  const ranked_runs before(baseline, labels);
  const ranked_runs after(calibrated, labels);
  return bootstrap_interval(
      labels.size(),
      [&](std::span<const std::uint32_t> counts) noexcept {
        return after.area(counts) - before.area(counts);
      },
      options);
}

}  // namespace act::statistics
