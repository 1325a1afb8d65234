// Objectives as what strategies judge heads by while a search runs (strategy.hpp).
#pragma once

#include <act/search/selection/objective.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/strategy.hpp>

#include <cstddef>

namespace act::search {

/// The change of each sample's value of the objective (sample_gains), so weighed that the mean is balanced
/// over sources. `centred` takes away means over the samples of the table that it is given.
[[nodiscard]] gain_function gains_by(search_objective objective);

/// Whether it counts each right answer the same: the paper's, and one by accuracy where all samples are of
/// one source. With several, heads are judged by means over sources.
[[nodiscard]] bool counts_answers(const selection_rule& rule, std::size_t sources) noexcept;
/// What the rule judges heads by.
[[nodiscard]] gain_function gains_by(const selection_rule& rule);

/// How the rule prefers heads: by their mean gains, and where it takes one after the other (greedy, balanced)
/// in that order, those that it doesn't take behind it. Several strengths are compared by their gains
/// whatever the rule.
[[nodiscard]] worth_function worth_by(const selection_rule& rule);

}  // namespace act::search
