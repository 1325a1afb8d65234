// UniBias's choice of the heads to mask (Zhou et al. 2024): no head is tried alone. One plain pass says what
// every head adds to the labels' logits, three criteria with a grid of thresholds make a few sets of heads,
// and whole passes with each set masked say which one leaves the label probabilities most even. The right
// answers are never looked at. label_bias.hpp has the arithmetic; docs/rivals.md says what of the published
// method isn't here.
#pragma once

#include <act/search/label_bias.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace act::runtime {
struct model;
}

namespace act::search {

struct search_plan;

/// Throws `error` (invalid_option, at `asked_by`) unless the plan's samples are of one file and all have the
/// same words or letters as answers, or the same tokens that say them.
void check_labels(const search_plan& plan, std::string_view asked_by = "unibias");

/// Each head of the plan's range, by layer, then head, over all samples; of a label that several tokens say
/// the largest logit counts. `on_samples` gets how many samples more are done and may throw to interrupt.
/// Throws what `check_labels` does and, for a model whose numbers aren't finite, `error` (invalid_input).
/// Cost: a plain pass.
[[nodiscard]] std::vector<head_criteria> criteria_of_heads(
    const runtime::model& model, const search_plan& plan,
    const std::function<void(std::size_t)>& on_samples = {});

/// Of each set the labels' probabilities behind the prompt with its heads masked, as means over the samples:
/// [set][label]. A softmax over the whole vocabulary; of a label that several tokens say the largest counts.
/// `on_samples` and errors as above; it hears each sample once for every set. Cost: a pass for each set from
/// its first masked layer on, and a plain pass for every eight of them.
[[nodiscard]] std::vector<std::vector<double>> label_probabilities(
    const runtime::model& model, const search_plan& plan, std::span<const biased_set> sets,
    const std::function<void(std::size_t)>& on_samples = {});

}  // namespace act::search
