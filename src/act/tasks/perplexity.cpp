// A text's windows and its perplexity: perplexity.hpp, score_perplexity.hpp.
#include <act/error.hpp>
#include <act/runtime/log_probabilities.hpp>
#include <act/statistics/bootstrap.hpp>
#include <act/tasks/perplexity.hpp>
#include <act/tasks/score_perplexity.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace act::tasks {

std::vector<perplexity_window> perplexity_windows(std::size_t tokens, std::size_t context,
                                                  std::size_t stride) {
  if (context < 2 || stride < 1 || stride > context) {
    throw error(error_code::invalid_option, "stride",
                "must be from 1 to the context, and the context at least 2");
  }
  if (tokens < 2) {
    throw error(error_code::invalid_input, "text", "must have at least 2 tokens; is the file empty?");
  }
  std::vector<perplexity_window> windows;
  for (std::size_t begin = 0, counted = 1;; begin += stride) {
    const std::size_t end = std::min(begin + context, tokens);
    const std::size_t first = std::max(counted, begin + 1);
    if (first < end) {
      windows.push_back({begin, end, first});
    }
    counted = end;
    if (end == tokens) {
      return windows;
    }
  }
}

double perplexity(double sum_of_log_probabilities, std::size_t count) noexcept {
  return count == 0 ? std::numeric_limits<double>::infinity()
                    : std::exp(-sum_of_log_probabilities / static_cast<double>(count));
}

window_scores score_windows(const runtime::model& model, std::span<const runtime::token_id> tokens,
                            std::span<const perplexity_window> windows,
                            const runtime::model_calibration& calibration,
                            const std::function<void(std::size_t)>& on_batch) {
  window_scores scores;
  score_windows(model, tokens, windows, calibration, scores, on_batch);
  return scores;
}

void score_windows(const runtime::model& model, std::span<const runtime::token_id> tokens,
                   std::span<const perplexity_window> windows, const runtime::model_calibration& calibration,
                   window_scores& scores, const std::function<void(std::size_t)>& on_batch) {
  constexpr std::size_t tokens_per_batch = 1024;
  const auto take = [](const std::vector<std::vector<double>>& sums, std::vector<double>& all) {
    for (const std::vector<double>& window : sums) {
      if (!std::isfinite(window.front())) {
        throw error(error_code::invalid_input, "window " + std::to_string(all.size()),
                    "the model's logits aren't finite; its weights are damaged or overflow float32");
      }
      all.push_back(window.front());
    }
  };
  for (std::size_t first = 0; first < windows.size();) {
    std::vector<std::vector<runtime::scored_text>> batch;
    std::size_t rows = 0;
    for (std::size_t i = first; i < windows.size(); ++i) {
      const perplexity_window& window = windows[i];
      rows += window.end - window.begin;
      if (!batch.empty() && rows > tokens_per_batch) break;
      const auto text = tokens.subspan(window.begin, window.end - window.begin);
      batch.push_back(
          {{.tokens = {text.begin(), text.end()}, .first_scored = window.first_scored - window.begin}});
      scores.counted.push_back(window.end - window.first_scored);
    }
    const runtime::text_log_probabilities sums = sum_log_probabilities(model, batch, calibration);
    take(sums.plain, scores.plain);
    take(sums.calibrated, scores.calibrated);
    first += batch.size();
    if (on_batch) on_batch(batch.size());
  }
}

perplexity_evaluation evaluate(const window_scores& scores, const statistics::bootstrap_options& options) {
  const std::size_t windows = scores.counted.size();
  const auto summed = [&](const std::vector<double>& sums, std::span<const std::uint32_t> counts) noexcept {
    double sum = 0, tokens = 0;
    for (std::size_t i = 0; i < windows; ++i) {
      sum += counts[i] * sums[i];
      tokens += counts[i] * static_cast<double>(scores.counted[i]);
    }
    return sum / tokens;
  };
  const std::vector<std::uint32_t> once(windows, 1U);
  const auto summary = [&](const std::vector<double>& sums) {
    const double mean = summed(sums, once);
    return perplexity_summary{.perplexity = std::exp(-mean), .log_probability = mean};
  };
  perplexity_evaluation result;
  result.windows = windows;
  for (const std::size_t tokens : scores.counted)
    result.counted += tokens;
  result.baseline = summary(scores.plain);
  if (scores.calibrated.empty()) return result;
  result.calibrated = summary(scores.calibrated);
  result.difference = result.calibrated->perplexity - result.baseline.perplexity;
  if (windows < 2) return result;  // one window resampled is that window again: an interval of no width
  result.difference_ci95 = bootstrap_interval(
      windows,
      [&](std::span<const std::uint32_t> counts) noexcept {
        return std::exp(-summed(scores.calibrated, counts)) - std::exp(-summed(scores.plain, counts));
      },
      options);
  return result;
}

}  // namespace act::tasks
