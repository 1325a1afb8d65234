#include <act/runtime/decoder.hpp>
#include <act/runtime/model.hpp>
#include <act/tasks/score_stream.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace act::tasks {
namespace {

// log p(target), natural logarithm.
double log_probability(const runtime::model& model, std::span<const float> logits, runtime::token_id target) {
  const double most = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0;
  for (const float logit : logits)
    sum += std::exp(static_cast<double>(logit) - most);
  const double result = static_cast<double>(logits[static_cast<std::size_t>(target)]) - most - std::log(sum);
  if (!std::isfinite(result)) runtime::refuse_logits(model);
  return result;
}

// A text as one decoder sees it go by.
class passing_text {
 public:
  passing_text(const runtime::model& model, const runtime::model_calibration& calibration,
               const runtime::cache_policy& cache, runtime::cache_type stored, std::vector<double>& sums)
      : model_(&model), decoder_(model, calibration, cache, stored), sums_(&sums) {}

  void begin(runtime::token_id first) { logits_ = decoder_.start(std::span(&first, 1)); }
  // Adds the next token's log-probability to the last block.
  void score(runtime::token_id token) { sums_->back() += log_probability(*model_, logits_, token); }
  void append(runtime::token_id token) { logits_ = decoder_.append(token); }

 private:
  const runtime::model* model_;
  runtime::decoder decoder_;
  std::vector<double>* sums_;
  std::span<const float> logits_;
};

}  // namespace

window_scores score_stream(const runtime::model& model, std::span<const runtime::token_id> tokens,
                           const runtime::cache_policy& cache, runtime::cache_type stored, std::size_t block,
                           const runtime::model_calibration& calibration,
                           const std::function<void(std::size_t)>& on_tokens) {
  window_scores scores;
  std::vector<passing_text> passes;
  passes.emplace_back(model, runtime::model_calibration{}, cache, stored, scores.plain);
  if (!calibration.heads.empty()) passes.emplace_back(model, calibration, cache, stored, scores.calibrated);
  for (passing_text& each : passes)
    each.begin(tokens.front());
  for (std::size_t at = 1; at < tokens.size(); ++at) {
    if ((at - 1) % block == 0) {
      scores.counted.push_back(0);
      scores.plain.push_back(0);
      if (passes.size() > 1) scores.calibrated.push_back(0);
    }
    ++scores.counted.back();
    for (passing_text& each : passes) {
      each.score(tokens[at]);
      if (at + 1 < tokens.size()) each.append(tokens[at]);
    }
    if (on_tokens) on_tokens(1);
  }
  return scores;
}

}  // namespace act::tasks
