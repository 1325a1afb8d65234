// What the small files beside a tokenizer say: tokenizer_config.json, special_tokens_map.json and
// added_tokens.json of a Hugging Face folder. Which tokens have a role, which were added to the vocabulary,
// what is put around a text. For the readers of tokenizer files that don't say it themselves.
#pragma once

#include <act/runtime/tokenizer/special_tokens.hpp>

#include <optional>
#include <string>
#include <vector>

namespace act::runtime {

struct tokenizer_settings {
  bool found = false;             ///< one of the files is there
  std::string source;             ///< tokenizer_config.json, or the folder where there is none, for messages
  std::string kind;               ///< `tokenizer_class` without a closing "Fast", "" where nobody says
  std::string bos, eos, unknown;  ///< "": nobody says
  bool without_bos = false, without_eos = false;  ///< null is written: the model has none
  std::vector<special_token> roles;  ///< every token with a role, each once; ids aren't known here
  std::vector<special_token> added;  ///< tokens that come with an id, in the order of their ids
  std::optional<bool> add_bos, add_eos, add_prefix_space, legacy;  ///< absent: the tokenizer's kind decides
};

/// Reads what is there; absent files and keys leave the defaults. Where the files differ, `transformers`'
/// order decides: with `added_tokens_decoder` in tokenizer_config.json that file alone counts, without it
/// special_tokens_map.json comes before tokenizer_config.json and added_tokens.json has the added tokens.
/// What is passed over because of that, though it says something else, is a line in `notices`. Throws
/// `error`: invalid_input for malformed files, unsupported for settings that change ids in ways act doesn't
/// have.
[[nodiscard]] tokenizer_settings read_tokenizer_settings(const std::string& folder,
                                                         std::vector<std::string>& notices);

}  // namespace act::runtime
