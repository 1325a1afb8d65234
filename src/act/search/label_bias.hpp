// UniBias's arithmetic (Zhou et al. 2024, arXiv:2405.20612, and the code published with it): which heads push
// towards some labels whatever the sample is, and how uneven a model's label probabilities are.
//
// Numbers in, sets of heads out; search/unibias.hpp runs the model.
#pragma once

#include <act/head_set.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace act::search {

/// What a head's label logits (runtime/head_logits.hpp) are over samples. Of each label's mean over samples:
struct head_criteria {
  std::size_t layer = 0;
  std::size_t head = 0;
  double logits = 0;       ///< the sum of their absolute values
  double relatedness = 0;  ///< that sum over the same sum of the residual stream that the layer reads
  double bias = 0;         ///< how far labels are from their mean m: the mean of |m - label| / |m|
  double variation = 0;    ///< over samples: each label's deviation (n - 1) over its mean, absolute, weighted
                           ///< by the label's part of `logits`; 0 for one sample, which then says nothing
};

/// `head` and `input` are [sample][label], at least one sample and label, alike. O(samples labels).
[[nodiscard]] head_criteria criteria_of(layer_head which, std::span<const std::vector<double>> head,
                                        std::span<const std::vector<double>> input);

/// What a head has to exceed (variation: stay below) to be called biased.
struct bias_thresholds {
  double bias = 0;
  double relatedness = 0;
  double variation = 0;
};

/// The published grid: bias 0.1, 0.2 .. 0.5; relatedness 0.02, 0.05, 0.1, 0.15, 0.2; variation 0.1, 0.15,
/// 0.2, 0.25. The last one changes fastest.
[[nodiscard]] std::vector<bias_thresholds> published_thresholds();

/// Below this sum of logits a head is never called biased, whatever the thresholds are.
inline constexpr double least_label_logits = 0.2;

[[nodiscard]] bool is_biased(const head_criteria& head, const bias_thresholds& over);

/// A set of heads to be masked together.
struct biased_set {
  head_set heads;
  bias_thresholds thresholds;  ///< the grid's first that give it; all 0 for the empty set
};

/// The distinct sets that `grid` gives, in its order, behind the empty set.
[[nodiscard]] std::vector<biased_set> biased_sets(std::span<const head_criteria> heads,
                                                  std::span<const bias_thresholds> grid);

/// How uneven labels are, given each one's mean probability over samples, all above 0: the mean of
/// |log m - log p|, m being the mean of them. 0 where all are the same. No label of a sample is asked.
[[nodiscard]] double label_bias(std::span<const double> probabilities);

/// A set is rejected whose labels have together no more than this part of the plain probability.
inline constexpr double least_label_probability = 0.95;

/// Which of the sets leaves the least bias, the first of equal ones, among those that aren't rejected.
/// `probabilities` is [set][label]; set 0 is the empty one, which never is. Precondition: there is one.
[[nodiscard]] std::size_t least_biased(std::span<const std::vector<double>> probabilities);

/// Whether set `number` is rejected.
[[nodiscard]] bool loses_labels(std::span<const std::vector<double>> probabilities, std::size_t number);

}  // namespace act::search
