// Objectives as what strategies judge heads by while a search runs (strategy.hpp).
#pragma once

#include <act/search/selection/objective.hpp>
#include <act/search/strategy.hpp>

namespace act::search {

/// The change of each sample's value of the objective (sample_gains), so weighed that the mean is balanced
/// over sources. `centred` takes away means over the samples of the table that it is given.
[[nodiscard]] gain_function gains_by(search_objective objective);

}  // namespace act::search
