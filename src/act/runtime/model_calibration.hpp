// Which heads of a model are calibrated, and how: what a pass is asked for, apart from the pass
// (forward.hpp).
#pragma once

#include <act/head_set.hpp>
#include <act/options.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace act::runtime {

struct attention_calibration;

/// Which heads are calibrated in a whole pass, and how.
struct model_calibration {
  head_set heads;
  calibration_options options;
  /// See attention_calibration::subsets; of each prompt of a pass.
  std::span<const std::vector<std::size_t>> subsets = {};

  /// The first layer that differs from a plain pass's; none where no head is calibrated.
  [[nodiscard]] std::optional<std::size_t> first_layer() const {
    if (heads.empty()) return std::nullopt;
    return heads.begin()->layer;
  }

  /// Its users include forward.hpp.
  [[nodiscard]] attention_calibration in_layer(std::size_t layer) const;
};

}  // namespace act::runtime
