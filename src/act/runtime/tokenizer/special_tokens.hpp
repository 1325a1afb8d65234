// Tokens that are matched as whole strings before anything else is cut: control tokens ("<|im_start|>") and
// tokens added to a vocabulary after it was trained. For the tokenizers of this folder. The longest of the
// leftmost wins, as in the Python package `tokenizers`.
#pragma once

#include <act/runtime/tokenizer/byte_trie.hpp>
#include <act/runtime/tokenizer/regular_expression.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

/// One such token and how it is matched.
struct special_token {
  std::string text;
  token_id id = 0;
  bool control = true;       ///< a control token: text unless asked, left out by decode(..., skip_special)
  bool normalized = false;   ///< looked for in the normalised text rather than the raw one
  bool single_word = false;  ///< only where no letter, number or underscore touches it
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< takes the white space after it along
};

/// Finds them in a text. Immutable in use.
class special_tokens {
 public:
  /// A stretch of text: one special token, or text without any.
  struct part {
    std::string_view text;
    const special_token* token = nullptr;
  };

  special_tokens() = default;
  /// Tokens with an empty text are left out: they would match everywhere. Of two with the same text the later
  /// one counts.
  explicit special_tokens(std::vector<special_token> tokens);

  [[nodiscard]] const std::vector<special_token>& all() const noexcept { return tokens_; }

  /// Appends the parts of `text` (valid UTF-8, outlives them) in order; none is empty but a token's own.
  /// Control tokens stay text unless `written` says that they are tokens; what such text hides (a token
  /// within it) isn't looked for, as with `tokenizers`' encode_special_tokens.
  /// Cost: O(text x longest token) in the worst case, O(text) where tokens begin with rare characters.
  void split(std::string_view text, special_tokens_in_text written, std::vector<part>& parts) const;

 private:
  [[nodiscard]] bool touches_word(std::string_view before, std::string_view after) const;

  std::vector<special_token> tokens_;
  byte_trie trie_;                          // its values: indices of tokens_
  std::optional<regular_expression> word_;  // only where a token asks
};

}  // namespace act::runtime
