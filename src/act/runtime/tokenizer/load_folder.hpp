// The tokenizer of a Hugging Face model folder, from whichever of its files is there.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <memory>
#include <string>

namespace act::runtime {

/// Looks for tokenizer.json, then vocab.json + merges.txt, then tokenizer.model, then char_vocab.json. Throws
/// `error`: io when the folder has none of them, otherwise what their readers throw.
[[nodiscard]] std::unique_ptr<tokenizer> load_tokenizer(const std::string& folder);

}  // namespace act::runtime
