// A text's perplexity under a model, plain and calibrated, over the sliding windows of perplexity.hpp.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/statistics/bootstrap.hpp>
#include <act/statistics/intervals.hpp>
#include <act/tasks/perplexity.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace act::runtime {
struct model;
struct model_calibration;
}  // namespace act::runtime

namespace act::tasks {

/// What the windows of one text gave, window by window.
struct window_scores {
  std::vector<std::size_t> counted;  ///< tokens that count
  std::vector<double> plain;         ///< their log-probabilities' sum
  std::vector<double> calibrated;    ///< the same; empty when no head is calibrated
};

/// Runs every window; each is a text of its own, and one map where heads are calibrated. `on_batch` is called
/// with the number of windows settled and may throw to interrupt. Throws `error` (invalid_input) when the
/// model returns a number that isn't finite, and where `pack` does (a window longer than the model's
/// context).
[[nodiscard]] window_scores score_windows(const runtime::model& model,
                                          std::span<const runtime::token_id> tokens,
                                          std::span<const perplexity_window> windows,
                                          const runtime::model_calibration& calibration,
                                          const std::function<void(std::size_t)>& on_batch = {});

/// The same into `scores`, which are empty before: when `on_batch` throws, the windows that were settled stay
/// in them.
void score_windows(const runtime::model& model, std::span<const runtime::token_id> tokens,
                   std::span<const perplexity_window> windows, const runtime::model_calibration& calibration,
                   window_scores& scores, const std::function<void(std::size_t)>& on_batch);

/// One way of running the model over the text.
struct perplexity_summary {
  double perplexity = 0;
  double log_probability = 0;  ///< mean of a token, natural logarithm
};

struct perplexity_evaluation {
  std::size_t windows = 0;
  std::size_t counted = 0;  ///< tokens
  perplexity_summary baseline;
  std::optional<perplexity_summary> calibrated;
  std::optional<double> difference;  ///< of the perplexities, calibrated less plain
  std::optional<statistics::interval>
      difference_ci95;  ///< paired bootstrap over windows; empty for a single one
};

/// Deterministic by `options.seed`. Windows of one text aren't quite independent (neighbours overlap and
/// share a subject), so the interval is rather too narrow than too wide.
[[nodiscard]] perplexity_evaluation evaluate(const window_scores& scores,
                                             const statistics::bootstrap_options& options = {});

}  // namespace act::tasks
