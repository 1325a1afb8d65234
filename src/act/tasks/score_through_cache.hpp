// Scores samples whose prompts are attended to through a cache that keeps less than everything: what that
// costs a task.
#pragma once

#include <act/runtime/cache_type.hpp>
#include <act/statistics/auc.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <functional>
#include <span>

namespace act::runtime {
struct cache_policy;
struct model;
}  // namespace act::runtime

namespace act::tasks {

/// A row a sample: the logit of each of its words behind the prompt, where every token attends to those up to
/// its own as the cache has them (runtime/decoder.hpp). `on_sample` is called with 1 for each and may throw
/// to interrupt. With a cache that keeps everything these are score_samples' to rounding. Throws `error`
/// (invalid_input) for logits that aren't finite, and as runtime::kv_cache. Precondition: the samples have
/// words. Cost: a pass a sample, and a cache's own.
[[nodiscard]] statistics::score_table score_through_cache(const runtime::model& model,
                                                          std::span<const prepared_sample> samples,
                                                          const runtime::cache_policy& cache,
                                                          runtime::cache_type stored,
                                                          const std::function<void(std::size_t)>& on_sample);

}  // namespace act::tasks
