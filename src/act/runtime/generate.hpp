// Text generation: a prompt's tokens in, the continuation out, token by token. For act-generate and for
// anything else that wants text from a model; sampling.hpp chooses, decoder.hpp runs the model.
#pragma once

#include <act/runtime/decoder.hpp>
#include <act/runtime/sampling.hpp>
#include <act/runtime/text_stream.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

struct generation_options {
  std::size_t max_new_tokens = 256;
  sampling_options sampling = {};
  std::vector<std::string> stops = {};    ///< the text ends before the first of these
  std::vector<token_id> end_tokens = {};  ///< beside the tokenizer's own end of text
};

enum class generation_end {
  end_token,    ///< the model said it was done
  stop_string,  ///< one of `stops` came
  length,       ///< max_new_tokens
  context,      ///< the model's context is full
};

/// "end_token" and the like, for reports.
[[nodiscard]] constexpr std::string_view name_of(generation_end end) noexcept {
  switch (end) {
    case generation_end::end_token:
      return "end_token";
    case generation_end::stop_string:
      return "stop_string";
    case generation_end::length:
      return "length";
    case generation_end::context:
      return "context";
  }
  return {};
}

struct generation {
  std::vector<token_id> tokens;  ///< those that were made, a closing end token not among them
  std::string text;              ///< valid UTF-8, special tokens left out, cut before a stop string
  generation_end end = generation_end::length;
};

/// What `token` adds to the text behind `before`: a tokenizer may treat a word at the start of a text in
/// another way. Bytes, perhaps part of a character.
[[nodiscard]] inline std::string token_text(const tokenizer& by, token_id before, token_id token) {
  const std::array<token_id, 2> both{before, token};
  const std::string first = by.decode(std::span(both).first(1), true);
  return by.decode(both, true).substr(first.size());
}

/// Continues `prompt`. `on_text(std::string_view)` gets each piece of text as soon as it is sure, in complete
/// characters, once a token (and may be empty then); it may throw to stop. Throws `error`: as decoder,
/// sampler and text_stream. Cost: one pass over the prompt, then the weights are read once a token.
template <class OnText>
[[nodiscard]] generation generate(const model& with, const tokenizer& by, std::span<const token_id> prompt,
                                  const model_calibration& calibration, const generation_options& options,
                                  OnText&& on_text) {
  decoder sequence(with, calibration);
  sampler next(options.sampling);
  text_stream stream(options.stops);
  generation made;
  const auto show = [&](const std::string& text) {
    made.text += text;
    on_text(std::string_view(text));
  };
  const auto ends = [&](token_id token) {
    return token == by.eos() ||
           std::find(options.end_tokens.begin(), options.end_tokens.end(), token) != options.end_tokens.end();
  };
  std::span<const float> logits = sequence.start(prompt);
  token_id before = prompt.back();
  while (made.tokens.size() < options.max_new_tokens) {
    const token_id token = next(logits.first(std::min(logits.size(), by.vocabulary_size())));
    if (ends(token)) {
      made.end = generation_end::end_token;
      break;
    }
    made.tokens.push_back(token);
    show(stream.append(token_text(by, before, token)));
    before = token;
    if (stream.stopped()) {
      made.end = generation_end::stop_string;
      break;
    }
    if (!sequence.has_room()) {
      made.end = generation_end::context;
      break;
    }
    if (made.tokens.size() < options.max_new_tokens) logits = sequence.append(token);
  }
  show(stream.finish());
  return made;
}

}  // namespace act::runtime
