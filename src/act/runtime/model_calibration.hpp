// Which heads of a model are calibrated (or changed as rivals of ACT do), and how: what a pass is asked for,
// apart from the pass (forward.hpp).
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
  bool masks = false;  ///< the heads' outputs are 0 instead
  /// Of each of `heads`, in their order, its own beta, or factor where rows are renormalised; none: the
  /// options'.
  std::vector<double> strengths = {};
  bool decoding = true;  ///< a decoder calibrates what it appends to a prompt, too, not the prompt alone
  bool generated_sinks =
      true;  ///< what a decoder appends may become a sink, too, not the prompt's tokens alone

  /// The first layer that differs from a plain pass's; none where no head is calibrated.
  [[nodiscard]] std::optional<std::size_t> first_layer() const {
    if (heads.empty()) return std::nullopt;
    return heads.begin()->layer;
  }

  /// Throws `error` (invalid_shape) for strengths that don't go with the heads. Its users include
  /// forward.hpp.
  [[nodiscard]] attention_calibration in_layer(std::size_t layer) const;
};

}  // namespace act::runtime
