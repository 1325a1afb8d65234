// Chat formats that act knows by name, as data: what stands around each turn. For models whose files carry no
// template of their own (own_chat_template.hpp), or whose own one isn't to be used.
#pragma once

#include <act/runtime/conversation.hpp>

#include <span>
#include <string>
#include <string_view>

namespace act::runtime {

/// One format. Special tokens are written out in their own spelling; conversation_tokens.hpp makes them ids.
struct chat_template {
  std::string_view name;
  std::string_view description;
  std::string_view begin = {};           ///< before everything
  std::string_view default_system = {};  ///< used where the conversation has no system turn
  bool takes_system = true;
  bool system_in_first_turn = false;  ///< the system text opens the first user turn
  bool trims = false;  ///< white space around a turn's text is dropped, as Python's strip() does
  std::string_view before_system = {}, after_system = {};
  std::string_view before_user = {}, after_user = {};
  std::string_view before_assistant = {}, after_assistant = {};
  std::string_view cue = {};        ///< asks for the answer
  std::string_view end_token = {};  ///< ends an answer
};

/// The formats that act knows.
[[nodiscard]] std::span<const chat_template> all_chat_templates();

/// Their names, with commas between.
[[nodiscard]] std::string known_chat_templates();

/// `text` without the white space around it, as Python's strip() takes it. Precondition: UTF-8.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

/// A format by its name. Throws `error` (invalid_option) that lists the names there are.
[[nodiscard]] const chat_template& find_chat_template(std::string_view name);

/// The conversation as the format has it, ready for its answer. A system turn may only come first; then user
/// and assistant take turns, the user first and last. Throws `error` (invalid_input) for another order and
/// for a system turn in a format that has none.
[[nodiscard]] written_conversation render(const chat_template& format, std::span<const chat_turn> turns);

}  // namespace act::runtime
