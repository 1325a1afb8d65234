// A set of heads' joint effect, as it was estimated and as whole passes have it.
#pragma once

#include <act/search/selection/head_orders.hpp>
#include <act/search/selection/score_changes.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace act::search {

/// Of the samples that the heads were chosen on: how far the additive estimate is right, not what to expect
/// elsewhere.
struct verified_measure {
  double plain = 0;
  double estimated = 0;  ///< plain scores and the sum of the changes
  double joint = 0;      ///< by whole passes with all heads calibrated
};

struct source_verification {
  std::size_t source = 0;
  std::size_t samples = 0;
  verified_measure accuracy;
  std::optional<verified_measure> auc;  ///< none where it isn't defined
};

/// Of each source, in ascending order. `joint[sample]` are the whole passes' scores. Throws error
/// (invalid_shape) when they aren't as many as the table's.
[[nodiscard]] std::vector<source_verification> verify(const score_changes& of,
                                                      std::span<const std::size_t> set,
                                                      std::span<const std::vector<double>> joint);

}  // namespace act::search
