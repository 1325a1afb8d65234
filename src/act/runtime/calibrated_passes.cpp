#include <act/runtime/calibrated_passes.hpp>
#include <act/runtime/model.hpp>

#include <algorithm>
#include <utility>

namespace act::runtime {

calibrated_passes::calibrated_passes(const model& model, const packed_prompts& prompts,
                                     const rotary_tables& rotary,
                                     std::span<const model_calibration> calibrations, rows_wanted wanted,
                                     at_end end)
    : model_(model),
      prompts_(prompts),
      rotary_(rotary),
      calibrations_(calibrations),
      wanted_(wanted),
      end_(std::move(end)) {}

bool calibrated_passes::start_at(std::size_t layer) const {
  return std::any_of(calibrations_.begin(), calibrations_.end(),
                     [&](const model_calibration& each) { return each.first_layer() == layer; });
}

void calibrated_passes::run_from(std::size_t layer, matrix hidden) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < calibrations_.size(); ++i) {
    if (calibrations_[i].first_layer() == layer) numbers.push_back(i);
  }
  if (!numbers.empty()) run(layer, std::move(numbers), std::move(hidden));
}

void calibrated_passes::run(std::size_t layer, std::vector<std::size_t> numbers, matrix hidden) {
  for (; layer < model_.config.layers; ++layer) {
    const bool last = layer + 1 == model_.config.layers;
    const layer_rows rows{
        .sequences = prompts_.sequences, .rotary = rotary_, .wanted = last ? wanted_ : rows_wanted::all};
    for (;;) {
      const attention_calibration calibration = calibrations_[numbers.front()].in_layer(layer);
      // The first agrees with itself, whatever it holds: options that can't be are refused where they are
      // used.
      const auto others = std::stable_partition(numbers.begin() + 1, numbers.end(), [&](std::size_t number) {
        return calibration.does_the_same_as(calibrations_[number].in_layer(layer));
      });
      if (others == numbers.end()) {
        run_layer(model_, layer, rows, calibration, hidden, buffers_);
        break;
      }
      matrix of_some = hidden;
      run_layer(model_, layer, rows, calibration, of_some, buffers_);
      run(layer + 1, {numbers.begin(), others}, std::move(of_some));
      numbers.erase(numbers.begin(), others);
    }
  }
  end_(numbers, hidden);
}

}  // namespace act::runtime
