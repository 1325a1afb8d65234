// How a chat model wants a conversation written. The formats are data: what stands around each turn. A
// model's own template (Jinja) is recognised by what it prints, not run: a template that isn't known is
// refused, because a conversation written in a slightly different way is answered worse without any sign of
// it.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace act::runtime {

enum class chat_role { system, user, assistant };

struct chat_turn {
  chat_role role = chat_role::user;
  std::string text;
};

/// One format. Special tokens are written out in their own spelling; tokenizers make them ids (encode with
/// add_special = false: the text has its beginning token already).
struct chat_template {
  std::string_view name;
  std::string_view description;
  std::string_view begin;           ///< before everything
  std::string_view default_system;  ///< used where the conversation has no system turn
  bool takes_system = true;
  bool system_in_first_turn = false;  ///< the system text opens the first user turn
  bool trims = false;                 ///< white space around a turn's text is dropped (ASCII's)
  std::string_view before_system = {}, after_system = {};
  std::string_view before_user = {}, after_user = {};
  std::string_view before_assistant = {}, after_assistant = {};
  std::string_view cue = {};        ///< asks for the answer
  std::string_view end_token = {};  ///< ends an answer
  std::array<std::string_view, 3>
      prints{};                 ///< what its Jinja text prints, in order (recognise_chat_template)
  std::string_view holds = {};  ///< what else must stand in it
};

/// The formats that act knows.
[[nodiscard]] std::span<const chat_template> all_chat_templates();

/// `text` without the ASCII white space around it.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

/// A format by its name. Throws `error` (invalid_option) that lists the names there are.
[[nodiscard]] const chat_template& find_chat_template(std::string_view name);

/// The format that a model's own template text writes. `source` prefixes the error. Throws `error`
/// (unsupported) for a text act doesn't know.
[[nodiscard]] const chat_template& recognise_chat_template(std::string_view jinja, const std::string& source);

/// The conversation as the model wants it, ready for its answer. A system turn may only come first; then user
/// and assistant take turns, the user first and last. Throws `error` (invalid_input) for another order and
/// for a system turn in a format that has none.
[[nodiscard]] std::string render(const chat_template& format, std::span<const chat_turn> turns);

}  // namespace act::runtime
