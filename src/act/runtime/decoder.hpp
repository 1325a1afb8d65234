// One sequence that grows token by token, with its keys and values kept: a prompt, then what follows it,
// plain or calibrated. For generate.hpp and for programs with a sampler of their own.
//
// Calibrated decoding is the streaming form: the prompt's heads are calibrated as whole maps, and each later
// row by the running column sums of raw weights over prompt and generated tokens (act/sink_tracker.hpp).
// Rows of earlier steps are gone, so a sequence that was decoded differs, by design, from the same one
// calibrated as a whole prompt. Where the cache evicts (cache_policy.hpp), a head's column sums lose the keys
// that go, and N of the relative rule is the number of keys that are kept. With model_calibration::decoding
// off, rows behind the prompt's are plain, which they could be under any options; with generated_sinks off,
// sinks are looked for among the prompt's tokens alone.
#pragma once

#include <act/runtime/cache_policy.hpp>
#include <act/runtime/cache_type.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/kv_cache.hpp>
#include <act/runtime/model.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace act::runtime {

/// The model must outlive it. Copying forks the sequence.
class decoder {
 public:
  /// Throws `error`: invalid_option; unsupported for calibration options that decoding doesn't know
  /// (sink_tracker's constructor) and as kv_cache's constructor; mismatch for a head the model doesn't have.
  explicit decoder(const model& of, const model_calibration& calibration = {}, const cache_policy& cache = {},
                   cache_type type = cache_type::f32);
  decoder(const decoder& other);
  decoder(decoder&& other) noexcept;
  decoder& operator=(const decoder& other);
  decoder& operator=(decoder&& other) noexcept;
  ~decoder();

  /// Positions in the cache: the tokens so far, less those that it evicted.
  [[nodiscard]] std::size_t positions() const noexcept { return cache_.positions(); }
  /// Whether one more token fits the model's context; always where the cache evicts.
  [[nodiscard]] bool has_room() const noexcept {
    return cache_.policy().evicts() || positions() < model_->config.context;
  }

  /// Begins a sequence, forgetting any before it. Returns the last position's logits, one a token of the
  /// vocabulary, valid until the next call. A prompt that a cache which evicts can't hold is calibrated as a
  /// whole as far as it fits, its other tokens are appended one by one. `still_wanted` is called before each
  /// layer of the prompt and may throw to stop; the sequence has to be started again then. Throws `error`
  /// (invalid_input) as `pack`.
  std::span<const float> start(std::span<const token_id> prompt,
                               const std::function<void()>& still_wanted = {});

  /// Adds one token behind the others; otherwise as `start`. Cost: every weight is read once, and every key
  /// and value so far.
  std::span<const float> append(token_id token);

 private:
  // Anew, for a sequence whose tokens from this position on are never sinks; 0: as the options say.
  void make_trackers(std::size_t position_limit);
  std::span<const float> run(const packed_prompts& packed, bool calibrated,
                             const std::function<void()>& still_wanted = {});

  const model* model_;
  kv_cache cache_;
  std::vector<attention_calibration> calibration_;  // of each layer
  std::vector<head_trackers> trackers_;             // of each layer: none in it without calibration
  layer_buffers buffers_;
  bool decoding_;         // what is appended is calibrated
  bool generated_sinks_;  // and may become a sink
  matrix logits_;
};

}  // namespace act::runtime
