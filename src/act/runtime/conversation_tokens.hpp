// Token ids of a written conversation: the format's special tokens are tokens, messages are text whatever
// they spell.
#pragma once

#include <act/runtime/conversation.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace act::runtime {

/// The ids that transformers gives the whole text, as long as no message takes part in spelling a control
/// token. Where one does, these bytes are encoded as text of their own, between what stands before and behind
/// them: no message can end a turn. Nothing is added around the text. Throws `error` as encode. Cost: each
/// byte is encoded about three times; where a message spells a control token, once through the vocabulary.
[[nodiscard]] std::vector<token_id> encode_conversation(const tokenizer& by,
                                                        const written_conversation& conversation);

/// The first control token in `text`, which a format writes.
[[nodiscard]] std::optional<token_id> first_control_token(const tokenizer& by, std::string_view text);

}  // namespace act::runtime
