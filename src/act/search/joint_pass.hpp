// What a search's samples score with a whole set of heads calibrated at once: what selection only estimates.
#pragma once

#include <act/head_set.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace act::runtime {
struct model;
}

namespace act::search {

struct search_plan;

/// Heads that are calibrated together, each with its own of `strengths` (none: as the plan's options have
/// it).
struct joint_set {
  head_set heads;
  std::vector<double> strengths = {};
};

/// Scores of every sample of the plan, in its order, by whole passes with each set calibrated; the same
/// numbers as tasks::score_samples gives. The plain scores for a set of no heads. `on_batch` gets the number
/// of samples that a batch settled, for all sets, and may throw to interrupt. Cost: a plain pass over all
/// samples, and a calibrated one for each set, which share the lower layers in which they do the same
/// (runtime/calibrated_passes.hpp). Throws what tasks::score_samples does.
[[nodiscard]] std::vector<std::vector<std::vector<double>>> joint_scores_of_each(
    const runtime::model& model, const search_plan& plan, std::span<const joint_set> sets,
    const std::function<void(std::size_t)>& on_batch = {});

/// The same for one set.
[[nodiscard]] std::vector<std::vector<double>> joint_scores(
    const runtime::model& model, const search_plan& plan, const head_set& heads,
    const std::vector<double>& strengths = {}, const std::function<void(std::size_t)>& on_batch = {});

}  // namespace act::search
