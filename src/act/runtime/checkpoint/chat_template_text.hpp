// The chat template that a model carries, as text. What it means is chat_template.hpp's.
#pragma once

#include <act/runtime/checkpoint/gguf.hpp>

#include <optional>
#include <string>

namespace act::runtime {

/// 'tokenizer.chat_template' of a GGUF file; of a folder, chat_template.jinja or 'chat_template' in
/// tokenizer_config.json (of a list of them, the one called "default"). Nothing where there is none. Throws
/// `error` (io, invalid_input) for files that can't be read.
[[nodiscard]] std::optional<std::string> read_chat_template(const std::string& model);

}  // namespace act::runtime
