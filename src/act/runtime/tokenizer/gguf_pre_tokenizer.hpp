// What the names of `tokenizer.ggml.pre` stand for: how texts are cut before byte-level BPE, and what else
// llama.cpp concludes from the name. Patterns are those of the models' own tokenizer.json files; llama.cpp's
// are the same where its regular expressions allow it, and approximations (tekken, gpt-4o) where they don't.
#pragma once

#include <act/runtime/tokenizer/pre_tokenizer.hpp>

#include <string>
#include <string_view>

namespace act::runtime {

struct gguf_pre_tokenizer {
  pre_tokenizer cuts;
  bool whole_pieces = false;  ///< a piece that is a token becomes it without merging
  bool add_bos = false;       ///< texts begin with a token unless the file says otherwise
};

/// The pre-tokenizer of that name. Throws `error` (unsupported), naming `file` and all known names, for
/// another.
[[nodiscard]] gguf_pre_tokenizer find_gguf_pre_tokenizer(std::string_view name, const std::string& file);

}  // namespace act::runtime
