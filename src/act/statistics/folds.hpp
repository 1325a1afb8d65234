// Parts of a set of samples for cross-validation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace act::statistics {

/// Of each sample the number of its fold, 0 .. folds - 1. Samples of one stratum (label, data file) are dealt
/// in a random order that `seed` fixes, strata one after the other without starting anew, so that both the
/// folds' sizes and each stratum's share in them differ by at most one. Precondition: folds >= 1.
[[nodiscard]] std::vector<std::size_t> stratified_folds(std::span<const std::size_t> strata,
                                                        std::size_t folds, std::uint64_t seed);

}  // namespace act::statistics
