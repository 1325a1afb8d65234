// What a search's samples score with a whole set of heads calibrated at once: what selection only estimates.
#pragma once

#include <act/head_set.hpp>

#include <cstddef>
#include <functional>
#include <vector>

namespace act::runtime {
struct model;
}

namespace act::search {

struct search_plan;

/// Scores of every sample of the plan, in its order, by whole passes with `heads` calibrated, each with its
/// own of `strengths` (none: as the plan's options have it); the same
/// numbers as tasks::score_samples gives. The plain scores for no heads. `on_batch` gets the number of
/// samples that a batch settled and may throw to interrupt. Cost: a plain and a calibrated pass over all
/// samples. Throws what tasks::score_samples does.
[[nodiscard]] std::vector<std::vector<double>> joint_scores(
    const runtime::model& model, const search_plan& plan, const head_set& heads,
    const std::vector<double>& strengths = {}, const std::function<void(std::size_t)>& on_batch = {});

}  // namespace act::search
