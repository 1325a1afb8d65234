// What a model makes of one prompt: text behind it, and what it says of each token. For the answers of
// act-serve, without any of HTTP or JSON.
//
// The prompt's log-probabilities are those of the whole-prompt form, as in act-eval --scoring likelihood: a
// calibrated head's map is calibrated over the whole prompt, its last token included, before any row is read.
#pragma once

#include <act/runtime/generate.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::serve {

struct served_model;

struct completion_options {
  runtime::generation_options generation;
  bool echo = false;                    ///< the prompt's tokens are scored too, with `logprobs`
  std::optional<std::size_t> logprobs;  ///< score tokens, with so many of the likeliest beside each
};

/// A token in the answer's spelling (token_spelling) and what the model gave it.
struct scored_token {
  std::string spelling;
  std::optional<double> log_probability = {};  ///< nothing for a prompt's first token
  std::vector<std::pair<std::string, double>> likeliest = {};
};

struct completion {
  std::string text;                  ///< what was made, valid UTF-8
  std::vector<scored_token> tokens;  ///< with logprobs: the prompt's with echo, then those that were drawn
  runtime::generation_end end = runtime::generation_end::length;
  std::size_t prompt_tokens = 0;
  std::size_t made_tokens = 0;  ///< drawn, a closing end token among them
};

/// `still_wanted` is called between layers of the prompt and between tokens, and may throw to stop;
/// `on_text` gets text as runtime::generate gives it. Throws `error` (invalid_input) as runtime::pack for a
/// prompt that is empty, too long or not of the vocabulary. Cost: with echo and logprobs one pass over the
/// prompt, and another one where more than one token is made.
[[nodiscard]] completion complete(const served_model& by, std::span<const runtime::token_id> prompt,
                                  const completion_options& options,
                                  const std::function<void()>& still_wanted,
                                  const std::function<void(std::string_view)>& on_text);

/// How `token` is spelt behind `before` (none: at the beginning), special tokens written out. What isn't
/// whole characters is bytes:\xNN..., as in OpenAI's answers: two tokens of one character don't look alike.
[[nodiscard]] std::string token_spelling(const runtime::tokenizer& by,
                                         std::optional<runtime::token_id> before, runtime::token_id token);

}  // namespace act::serve
