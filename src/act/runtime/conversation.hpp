// A conversation, and the text that a chat model wants it written as. chat_template.hpp has the formats that
// act knows by name, own_chat_template.hpp runs the template that a model carries; conversation_tokens.hpp
// makes token ids of either's text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {

enum class chat_role { system, user, assistant };

struct chat_turn {
  chat_role role = chat_role::user;
  std::string text;
};

/// A conversation as one text. Special tokens of the format stand in it in their own spelling; where messages
/// spell them, they are text.
struct written_conversation {
  std::string text;
  /// [begin, end) of each stretch of bytes that came from messages: ascending, apart, none empty.
  std::vector<std::pair<std::size_t, std::size_t>> from_messages = {};

  void append_format(std::string_view more) { text += more; }
  void append_message(std::string_view more) {
    if (more.empty()) return;
    const std::size_t begin = text.size();
    text += more;
    if (!from_messages.empty() && from_messages.back().second == begin) {
      from_messages.back().second = text.size();
    } else {
      from_messages.emplace_back(begin, text.size());
    }
  }
};

}  // namespace act::runtime
