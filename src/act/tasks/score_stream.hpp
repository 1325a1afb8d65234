// A text's perplexity while it goes by token by token, as in generating, with a cache that may evict: what a
// model makes of texts beyond its context.
#pragma once

#include <act/runtime/cache_type.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/score_perplexity.hpp>

#include <cstddef>
#include <functional>
#include <span>

namespace act::runtime {
struct cache_policy;
struct model;
struct model_calibration;
}  // namespace act::runtime

namespace act::tasks {

/// Every token but the first by its log-probability after those that the cache keeps, summed up in blocks of
/// `block` tokens (the last one may be shorter). Calibrated heads: the streaming form (runtime/decoder.hpp).
/// `on_tokens` is called with a number of tokens settled and may throw to interrupt. Throws `error`
/// (invalid_input) for logits that aren't finite and as runtime::decoder. Preconditions: two tokens or more,
/// `block` > 0. Cost: a decoding step a token, two where heads are calibrated.
[[nodiscard]] window_scores score_stream(const runtime::model& model,
                                         std::span<const runtime::token_id> tokens,
                                         const runtime::cache_policy& cache, runtime::cache_type stored,
                                         std::size_t block, const runtime::model_calibration& calibration,
                                         const std::function<void(std::size_t)>& on_tokens = {});

}  // namespace act::tasks
