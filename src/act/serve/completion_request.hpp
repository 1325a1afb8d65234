// A request to /v1/completions, read and checked.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/serve/generation_request.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace act::serve {

/// A text, which the model's tokenizer makes ids of, or the ids themselves.
using completion_prompt = std::variant<std::string, std::vector<runtime::token_id>>;

/// As many of the likeliest tokens as OpenAI's API gives with each one.
inline constexpr std::size_t logprobs_limit = 5;

struct completion_request {
  std::string model;
  std::vector<completion_prompt> prompts;  ///< at least one
  bool echo = false;
  std::optional<std::size_t> logprobs;  ///< so many of the likeliest tokens beside each token's own
  generation_request how;
};

/// Throws `refusal` for a body that isn't such a request or asks for what act-serve doesn't have.
[[nodiscard]] completion_request parse_completion_request(std::string_view body,
                                                          const request_limits& limits);

}  // namespace act::serve
