// From the spellings of tokens back to text, in the steps of a tokenizer's file. For pipeline_tokenizer.hpp;
// the reference is the Python package `tokenizers`, but that it replaces bytes that are no UTF-8 by U+FFFD
// where act gives them as they are: a text that is cut between tokens may go on inside a character.
#pragma once

#include <act/runtime/tokenizer/text_normalizer.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace act::runtime {

/// `ByteLevel`: characters of GPT-2's alphabet become bytes; a token with others is taken as it is.
struct bytes_from_alphabet {};

/// `ByteFallback`: tokens like "<0x0A>" become bytes.
struct bytes_from_names {};

/// `Fuse`: all tokens become one.
struct fused_tokens {};

/// `Strip`: up to so many of a character at each token's edges go.
struct stripped_character {
  std::string character;
  std::size_t start = 0, stop = 0;
};

/// `Metaspace`: marks become spaces; those of the first token go, if encoding put one there.
struct spaces_from_marks {
  std::string mark;
  bool prefix_goes = true;
};

/// Steps, one after the other. Immutable in use.
class token_decoder {
 public:
  using step = std::variant<bytes_from_alphabet, bytes_from_names, fused_tokens, replaced_text,
                            stripped_character, spaces_from_marks>;

  /// GPT-2's: bytes from the alphabet.
  [[nodiscard]] static token_decoder byte_level();

  void add(step next) { steps_.push_back(std::move(next)); }

  /// The text of `tokens`; without any step they have spaces between them. Throws `error` (unsupported) when
  /// a pattern backtracks beyond PCRE2's limits, replaces an empty place, or the text grows more than
  /// 64-fold.
  [[nodiscard]] std::string operator()(std::vector<std::string> tokens) const;

 private:
  std::vector<step> steps_;
};

}  // namespace act::runtime
