// The chat template that a model carries, as text, and the special tokens that its folder names for it. What
// they mean is own_chat_template.hpp's.
#pragma once

#include <act/runtime/checkpoint/gguf.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace act::runtime {

/// 'tokenizer.chat_template' of a GGUF file; of a folder, chat_template.jinja or 'chat_template' in
/// tokenizer_config.json (of a list of them, the one called "default"). Nothing where there is none. Throws
/// `error` (io, invalid_input) for files that can't be read.
[[nodiscard]] std::optional<std::string> read_chat_template(const std::string& model);

/// What a folder's tokenizer_config.json, else its special_tokens_map.json, says of bos_token, eos_token,
/// unk_token and pad_token: nothing for null. A name that neither has isn't among them, and a GGUF file names
/// none by their text. Throws as above.
[[nodiscard]] std::vector<std::pair<std::string, std::optional<std::string>>> read_template_tokens(
    const std::string& model);

}  // namespace act::runtime
