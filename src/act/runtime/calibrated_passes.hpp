// Several calibrated passes over the same prompts, sharing the layers in which they agree.
//
// For those who compare calibrations (forward.hpp's run_each, log_probabilities.hpp): two that do the same in
// the layers below one (heads, options, strengths, parts of the prompts) are the same pass below it. Heads
// files of one search have most of their lowest heads in common, and equal ones all.
#pragma once

#include <act/runtime/forward.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/model_calibration.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace act::runtime {

class calibrated_passes {
 public:
  /// Sees what the last layer left, for these calibrations, by their numbers.
  using at_end = std::function<void(std::span<const std::size_t> numbers, const matrix& hidden)>;

  /// `prompts`: whole, and `rotary` of their positions; `wanted`: rows of the last layer. All stay where they
  /// are.
  calibrated_passes(const model& model, const packed_prompts& prompts, const rotary_tables& rotary,
                    std::span<const model_calibration> calibrations, rows_wanted wanted, at_end end);

  /// Whether a calibration's first layer is this one.
  [[nodiscard]] bool start_at(std::size_t layer) const;

  /// Runs those whose first layer is this one from its input, [rows, hidden], to the end. Depth first: at
  /// most a layer's input is kept for each layer in which they part. Throws `error` as `run_layer` does.
  void run_from(std::size_t layer, matrix hidden);

 private:
  void run(std::size_t layer, std::vector<std::size_t> numbers, matrix hidden);

  const model& model_;
  const packed_prompts& prompts_;
  const rotary_tables& rotary_;
  std::span<const model_calibration> calibrations_;
  rows_wanted wanted_;
  at_end end_;
  layer_buffers buffers_;
};

}  // namespace act::runtime
