// Tokens that the files beside a tokenizer add to its vocabulary, or give a role: put together with those
// that the vocabulary itself marks, checked against it. For the readers of tokenizer files in a folder.
#pragma once

#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

struct tokenizer_settings;

/// What has to be known of a vocabulary to add tokens to it.
struct known_vocabulary {
  std::string source;    ///< its file, for messages
  std::size_t size = 0;  ///< one more than its largest id
  std::function<std::optional<token_id>(std::string_view)> find;
  bool renames = false;  ///< an added token may take the id of a placeholder
};

/// What the settings make of a vocabulary.
struct added_tokens {
  std::vector<special_token> special;  ///< `own` and what was added, each text once
  std::optional<token_id> bos, eos;    ///< of the tokens that the settings name
};

/// `own` are the special tokens the vocabulary has by itself. Added tokens beyond the vocabulary continue its
/// ids. A token with a role becomes a control token. Throws `error` (mismatch), naming both files, for an id
/// that contradicts the vocabulary, ids that leave a hole, and a beginning or end of text that is no token;
/// another role without a token is a line in `notices`. Cost: O(n) in the tokens.
[[nodiscard]] added_tokens add_tokens(std::vector<special_token> own, const tokenizer_settings& settings,
                                      const known_vocabulary& vocabulary, std::vector<std::string>& notices);

}  // namespace act::runtime
