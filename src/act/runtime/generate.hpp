// Text generation: a prompt's tokens in, the continuation out, token by token. For act-generate and for
// anything else that wants text from a model; sampling.hpp chooses, decoder.hpp runs the model.
#pragma once

#include <act/runtime/cache_policy.hpp>
#include <act/runtime/cache_type.hpp>
#include <act/runtime/sampling.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

struct model;
struct model_calibration;

struct generation_options {
  std::size_t max_new_tokens = 256;
  sampling_options sampling = {};
  std::vector<std::string> stops = {};    ///< the text ends before the first of these
  std::vector<token_id> end_tokens = {};  ///< beside the tokenizer's own ends of a text
  cache_policy cache = {};                ///< with one that evicts, a text may outgrow the context
  cache_type stored = cache_type::f32;    ///< in what the cache holds keys and values
  /// Sees each token that is drawn, a closing end token too, and the logits of the vocabulary it was drawn
  /// from; may throw to stop.
  std::function<void(token_id, std::span<const float>)> on_token = {};
  /// Called before each layer of the prompt, and before each token; may throw to stop.
  std::function<void()> still_wanted = {};
};

enum class generation_end {
  end_token,    ///< the model said it was done
  stop_string,  ///< one of `stops` came
  length,       ///< max_new_tokens
  context,      ///< the model's context is full
};

/// "end_token" and the like, for reports.
[[nodiscard]] std::string_view name_of(generation_end end) noexcept;

struct generation {
  std::vector<token_id> tokens;  ///< those that were made, a closing end token not among them
  std::string text;              ///< valid UTF-8, special tokens left out, cut before a stop string
  generation_end end = generation_end::length;
};

/// What `token` adds to the text behind `before`: a tokenizer may treat a word at the start of a text in
/// another way. Bytes, perhaps part of a character.
[[nodiscard]] std::string token_text(const tokenizer& by, token_id before, token_id token);

/// Continues `prompt`. `on_text` gets each piece of text as soon as it is sure, in complete
/// characters, once a token (and may be empty then); it may throw to stop. Throws `error`: as decoder,
/// sampler and text_stream. Cost: one pass over the prompt, then the weights are read once a token.
[[nodiscard]] generation generate(const model& with, const tokenizer& by, std::span<const token_id> prompt,
                                  const model_calibration& calibration, const generation_options& options,
                                  const std::function<void(std::string_view)>& on_text);

}  // namespace act::runtime
