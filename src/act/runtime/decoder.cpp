#include <act/error.hpp>
#include <act/runtime/decoder.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/kv_cache.hpp>
#include <act/runtime/layers/head_trackers.hpp>
#include <act/runtime/model.hpp>
#include <act/sink_tracker.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace act::runtime {

decoder::decoder(const model& of, const model_calibration& calibration, const cache_policy& cache,
                 cache_type type)
    : model_(&of),
      cache_(of.config, cache, type),
      decoding_(calibration.decoding),
      generated_sinks_(calibration.generated_sinks) {
  for (std::size_t layer = 0; layer < of.config.layers; ++layer)
    calibration_.push_back(calibration.in_layer(layer));
  make_trackers(0);
  for (const layer_head& each : calibration.heads) {
    if (each.layer >= of.config.layers || each.head >= of.config.heads) {
      throw error(error_code::mismatch, "heads",
                  "[" + std::to_string(each.layer) + ", " + std::to_string(each.head) +
                      "] is outside the model; use heads of this model");
    }
  }
}

void decoder::make_trackers(std::size_t position_limit) {
  const std::size_t heads = model_->config.heads;
  trackers_.assign(calibration_.size(), {});
  for (std::size_t layer = 0; layer < calibration_.size(); ++layer) {
    const attention_calibration& here = calibration_[layer];
    if (here.heads.empty() || here.masks || !decoding_) continue;
    calibration_options options = here.options;
    if (position_limit != 0) options.sinks.position_limit = position_limit;
    std::vector<sink_tracker>& made = trackers_[layer].of;
    made.assign(heads, sink_tracker(options));
    // Heads outside the model are refused by the constructor.
    for (std::size_t i = 0; i < here.strengths.size() && here.heads.at(i) < heads; ++i) {
      calibration_options own = options;
      (own.redistribute == redistribution::renormalised ? own.factor : own.beta) = here.strengths[i];
      made[here.heads.at(i)] = sink_tracker(own);
    }
  }
}

decoder::decoder(const decoder& other) = default;
decoder::decoder(decoder&& other) noexcept = default;
decoder& decoder::operator=(const decoder& other) = default;
decoder& decoder::operator=(decoder&& other) noexcept = default;
decoder::~decoder() = default;

std::span<const float> decoder::start(std::span<const token_id> prompt,
                                      const std::function<void()>& still_wanted) {
  const std::size_t at_once =
      cache_.policy().evicts() ? std::min(prompt.size(), cache_.policy().capacity()) : prompt.size();
  const std::vector<token_id> tokens(prompt.begin(), prompt.begin() + static_cast<std::ptrdiff_t>(at_once));
  const packed_prompts packed = pack(model_->config, std::span(&tokens, 1));
  cache_.truncate(0);
  if (!generated_sinks_) make_trackers(prompt.size());
  std::span<const float> logits = run(packed, true, still_wanted);
  for (const token_id token : prompt.subspan(at_once)) {
    if (still_wanted) still_wanted();
    logits = append(token);
  }
  return logits;
}

std::span<const float> decoder::append(token_id token) {
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
  if (const key_range gone = cache_.make_room(1); !gone.empty()) {
    for (head_trackers& layer : trackers_)
      for (sink_tracker& head : layer.of)
        if (head.keys() >= gone.end) head.evict(gone);
  }
  packed.positions.front() = static_cast<std::uint32_t>(positions());
  return run(packed, decoding_);
}

std::span<const float> decoder::run(const packed_prompts& packed, bool calibrated,
                                    const std::function<void()>& still_wanted) {
  const std::size_t layers = model_->config.layers;
  const rotary_tables rotary(model_->config.rotary, packed.positions);
  matrix hidden = embed(*model_, packed);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    if (still_wanted) still_wanted();
    attention_calibration calibration = calibrated ? calibration_[layer] : attention_calibration{};
    if (!trackers_[layer].of.empty()) calibration.trackers = &trackers_[layer];
    const layer_rows rows{
        .sequences = packed.sequences,
        .rotary = rotary,
        .wanted = layer + 1 == layers ? rows_wanted::last_of_each_sequence : rows_wanted::all};
    run_layer_with_cache(*model_, layer, rows, calibration, hidden, buffers_, cache_);
  }
  logits_.resize(1, model_->output.count());
  model_->output.all_logits(final_hidden(*model_, hidden), logits_);
  return {logits_.data(), logits_.size()};
}

}  // namespace act::runtime
