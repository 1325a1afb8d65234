// Cuts a text into the pieces that byte-level BPE merges within: words with their leading space, runs of
// digits, of signs, of white space. It makes no tokens (byte_level_bpe.hpp). The reference is the Python
// package `tokenizers`; the pieces are the same to the byte.
#pragma once

#include <act/runtime/tokenizer/regular_expression.hpp>

#include <string_view>
#include <vector>

namespace act::runtime {

/// What becomes of a pattern's matches.
enum class split_behaviour {
  isolated,              ///< each match is a piece, and so is what lies between two
  removed,               ///< what lies between matches are the pieces
  kept,                  ///< the matches are the pieces
  merged_with_previous,  ///< a match ends the piece before it
  merged_with_next,      ///< a match begins the piece after it
};

/// GPT-2's pattern, as OpenAI's encoder and `tokenizers`' ByteLevel have it.
inline constexpr std::string_view gpt2_pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// Llama 3's pattern: contractions in either case, letters with one sign before them, digits by threes, signs
/// with the line breaks behind them.
inline constexpr std::string_view llama3_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// An ordered list of splits; each cuts every piece of the one before. Immutable in use: any number of
/// threads.
class pre_tokenizer {
 public:
  /// No split at all: the whole text is one piece.
  pre_tokenizer() = default;

  /// GPT-2, OPT, GPT-J, GPT-NeoX.
  [[nodiscard]] static pre_tokenizer gpt2();
  /// SmolLM, StarCoder: every digit alone first, then GPT-2's pattern on what lies between.
  [[nodiscard]] static pre_tokenizer smollm();

  /// Llama 3.
  [[nodiscard]] static pre_tokenizer llama3();

  /// Adds a split. Throws `error` naming `where` when the pattern doesn't compile.
  void add(std::string_view pattern, split_behaviour behaviour, std::string_view where) {
    splits_.push_back({regular_expression(pattern, where), behaviour});
  }
  /// Adds a split at numbers: each one alone, or runs of them.
  void add_digits(bool individual);

  /// Appends the pieces of `text` (valid UTF-8, outlives them) in order; none is empty.
  /// Throws `error` (unsupported) when a pattern backtracks beyond PCRE2's limits.
  void split(std::string_view text, std::vector<std::string_view>& pieces) const;

 private:
  struct rule {
    regular_expression pattern;
    split_behaviour behaviour;
  };

  static void split_one(const rule& r, regular_expression::matcher& matcher, std::string_view text,
                        std::vector<std::string_view>& out);

  std::vector<rule> splits_;
};

}  // namespace act::runtime
