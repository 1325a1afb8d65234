// One sequence that grows token by token, with its keys and values kept: a prompt, then what follows it,
// plain or calibrated. For generate.hpp and for programs with a sampler of their own.
//
// Calibrated decoding is the streaming form: the prompt's heads are calibrated as whole maps, and each later
// row by the running column sums of raw weights over prompt and generated tokens (act/sink_tracker.hpp).
// Rows of earlier steps are gone, so a sequence that was decoded differs, by design, from the same one
// calibrated as a whole prompt.
#pragma once

#include <act/error.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/kv_cache.hpp>
#include <act/runtime/model.hpp>
#include <act/sink_tracker.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace act::runtime {

/// The model must outlive it. Copying forks the sequence.
class decoder {
 public:
  /// Throws `error`: invalid_option; unsupported for calibration options that decoding doesn't know
  /// (sink_tracker's constructor); mismatch for a head the model doesn't have.
  explicit decoder(const model& of, const model_calibration& calibration = {})
      : model_(&of), cache_(of.config) {
    for (std::size_t layer = 0; layer < of.config.layers; ++layer) {
      calibration_.push_back(calibration.in_layer(layer));
      trackers_.emplace_back();
      if (!calibration_.back().heads.empty()) {
        trackers_.back().assign(of.config.heads, sink_tracker(calibration.options));
      }
    }
    for (const layer_head& each : calibration.heads) {
      if (each.layer >= of.config.layers || each.head >= of.config.heads) {
        throw error(error_code::mismatch, "heads",
                    "[" + std::to_string(each.layer) + ", " + std::to_string(each.head) +
                        "] is outside the model; use heads of this model");
      }
    }
  }

  /// Tokens so far.
  [[nodiscard]] std::size_t positions() const noexcept { return cache_.positions(); }
  /// Whether one more token fits the model's context.
  [[nodiscard]] bool has_room() const noexcept { return positions() < model_->config.context; }

  /// Begins a sequence, forgetting any before it. Returns the last position's logits, one a token of the
  /// vocabulary, valid until the next call. Throws `error` (invalid_input) as `pack`.
  std::span<const float> start(std::span<const token_id> prompt) {
    const std::vector<token_id> tokens(prompt.begin(), prompt.end());
    const packed_prompts packed = pack(model_->config, std::span(&tokens, 1));
    cache_.truncate(0);
    return run(packed);
  }

  /// Adds one token behind the others; otherwise as `start`. Cost: every weight is read once, and every key
  /// and value so far.
  std::span<const float> append(token_id token) {
    if (positions() == 0) {
      throw error(error_code::invalid_input, "decoder", "has no prompt yet; start with one");
    }
    if (!has_room()) {
      throw error(error_code::invalid_input, "decoder",
                  "the model's context of " + std::to_string(model_->config.context) +
                      " tokens is full; stop before it is");
    }
    const std::vector<token_id> tokens{token};
    packed_prompts packed = pack(model_->config, std::span(&tokens, 1));
    packed.positions.front() = static_cast<std::uint32_t>(positions());
    return run(packed);
  }

 private:
  std::span<const float> run(const packed_prompts& rows) {
    const std::size_t layers = model_->config.layers;
    const rotary_table rotary(model_->config.rotary, rows.positions);
    matrix hidden = embed(*model_, rows);
    for (std::size_t layer = 0; layer < layers; ++layer) {
      attention_calibration calibration = calibration_[layer];
      calibration.trackers = trackers_[layer];
      run_layer(*model_, layer, rows.sequences, rotary, calibration,
                layer + 1 == layers ? rows_wanted::last_of_each_sequence : rows_wanted::all, hidden, buffers_,
                nullptr, &cache_);
    }
    logits_.resize(1, index(model_->output.count()));
    model_->output.all_logits(final_hidden(*model_, hidden), logits_);
    return {logits_.data(), extent(logits_.size())};
  }

  const model* model_;
  kv_cache cache_;
  std::vector<attention_calibration> calibration_;   // of each layer
  std::vector<std::vector<sink_tracker>> trackers_;  // of each layer: one a head, none without calibration
  layer_buffers buffers_;
  matrix logits_;
};

}  // namespace act::runtime
