// Runs a model over prompts and looks at every head's attention: where its sinks are and what they hold.
//
// The model is run plain: this is what calibration finds. What it leaves is asked for with pictures, of every
// head alone, or of heads that are calibrated together. What a sink is and what becomes of it, is the core's
// say (column sums, find_sinks, calibrate_row); nothing here has a rule of its own.
#pragma once

#include <act/inspection/observation.hpp>
#include <act/options.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace act::runtime {
struct model;
struct model_calibration;
}  // namespace act::runtime

namespace act::inspection {

struct observe_options {
  sink_options sinks = {};
  std::size_t picture_side = 0;  ///< cells of a map_picture's side; 0: no pictures
  /// With pictures, also those of maps as this leaves them (prompt_observation::calibrated). Without heads:
  /// of every head, were it calibrated alone. With heads: of a second pass with these heads calibrated, in
  /// which the maps of layers above change, too. Its `sinks` are used there and should be those above. Not
  /// owned.
  const runtime::model_calibration* calibration = nullptr;
};

/// Observes prompts packed into one batch. `after_layer` is called after each layer of each pass and may
/// throw to interrupt. Throws `error` (invalid_option) for options that can't be; (unsupported) for a
/// calibration of other columns than sinks, of masked heads or as the authors' code; (invalid_input), by
/// prompt, as `pack`, and where the attention isn't finite. Cost: a plain pass over all rows of all layers,
/// and every map once more; with `calibration` up to twice that. Memory: the batch's activations, a block of
/// rows a thread; with pictures, side^2 floats (twice with `calibration`) and the prompt's length in doubles
/// for each head.
[[nodiscard]] std::vector<prompt_observation> observe(const runtime::model& model,
                                                      std::span<const std::vector<runtime::token_id>> prompts,
                                                      const observe_options& options = {},
                                                      const std::function<void()>& after_layer = {});

/// Observes any number of prompts in batches of about 1,024 tokens and hands over each one's observation, in
/// order: `found(index, observation)`. Otherwise as `observe`.
void observe_each(const runtime::model& model, std::span<const std::vector<runtime::token_id>> prompts,
                  const observe_options& options,
                  const std::function<void(std::size_t, prompt_observation&&)>& found,
                  const std::function<void()>& after_layer = {});

}  // namespace act::inspection
