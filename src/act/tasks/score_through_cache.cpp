#include <act/runtime/decoder.hpp>
#include <act/runtime/model.hpp>
#include <act/tasks/score_through_cache.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace act::tasks {

statistics::score_table score_through_cache(const runtime::model& model,
                                            std::span<const prepared_sample> samples,
                                            const runtime::cache_policy& cache, runtime::cache_type stored,
                                            const std::function<void(std::size_t)>& on_sample) {
  runtime::decoder by(model, {}, cache, stored);
  statistics::score_table scores;
  for (const prepared_sample& sample : samples) {
    const std::span<const float> logits = by.start(sample.prompt);
    std::vector<double>& row = scores.emplace_back();
    for (const runtime::token_id word : sample.words) {
      const float logit = logits[static_cast<std::size_t>(word)];
      if (!std::isfinite(logit)) runtime::refuse_logits(model);
      row.push_back(static_cast<double>(logit));
    }
    if (on_sample) on_sample(1);
  }
  return scores;
}

}  // namespace act::tasks
