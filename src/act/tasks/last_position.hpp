// Scores of samples that are compared by the logits at their prompt's last position: of their words, or of
// the greedy token. For whoever has the last rows, from whatever pass: score_samples.hpp, the head search.
#pragma once

#include <act/tasks/prepared_sample.hpp>

#include <span>
#include <vector>

namespace act::runtime {
class matrix;
struct model;
}  // namespace act::runtime

namespace act::tasks {

/// A row a sample, `score_count()` numbers each: the logit of each word, or what greedy_logits returns.
/// `hidden` is what `final_hidden` returned, one row a sample. Preconditions: all samples are greedy, or all
/// have words. Throws and costs as label_logits or greedy_logits.
[[nodiscard]] std::vector<std::vector<double>> last_position_scores(
    const runtime::model& model, const runtime::matrix& hidden,
    std::span<const prepared_sample* const> samples);

}  // namespace act::tasks
