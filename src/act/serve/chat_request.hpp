// A request to /v1/chat/completions, read and checked.
#pragma once

#include <act/runtime/conversation.hpp>
#include <act/serve/generation_request.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace act::serve {

struct chat_request {
  std::string model;
  std::vector<runtime::chat_turn> turns;  ///< at least one
  generation_request how;
};

/// Throws `refusal` for a body that isn't such a request or asks for what act-serve doesn't have: tools,
/// pictures, log-probabilities of a chat, a form of the answer.
[[nodiscard]] chat_request parse_chat_request(std::string_view body, const request_limits& limits);

}  // namespace act::serve
