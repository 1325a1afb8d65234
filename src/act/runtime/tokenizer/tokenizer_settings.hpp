// tokenizer_config.json and special_tokens_map.json of a Hugging Face folder: which tokens have a role, and
// what is put around a text. For the readers of tokenizer files that don't say it themselves.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace act::runtime {

struct tokenizer_settings {
  bool found = false;  ///< one of the files is there
  std::string bos, eos, unknown;
  std::vector<std::string> special;                        ///< every token with a role, each once
  std::optional<bool> add_bos, add_eos, add_prefix_space;  ///< absent: the kind of tokenizer decides
};

/// Reads what is there; absent files and keys leave the defaults. Throws `error` (invalid_input) for
/// malformed ones.
[[nodiscard]] tokenizer_settings read_tokenizer_settings(const std::string& folder);

}  // namespace act::runtime
