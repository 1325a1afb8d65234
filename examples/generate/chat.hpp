// Conversations in a model's own format.
#pragma once

#include <act/runtime/chat_template.hpp>

#include <vector>

namespace act::runtime {
class tokenizer;
}

namespace act_program {

struct generate_options;

/// The format in force: the one that was named, else the model's own. Its end token is added to those that
/// end an answer. Throws act::error for a model that has none or whose tokenizer doesn't know that token.
[[nodiscard]] const act::runtime::chat_template& begin_chat(const act::runtime::tokenizer& by,
                                                            generate_options& options);

/// What a conversation begins with: the system text, if one was given.
[[nodiscard]] std::vector<act::runtime::chat_turn> opening(const generate_options& options);

}  // namespace act_program
