// Cuts a text into the pieces that a tokenizer's model works within: words with their leading space, runs of
// digits, of signs, of white space; and spells them as the vocabulary does. It makes no tokens
// (pipeline_tokenizer.hpp). The reference is the Python package `tokenizers`; the pieces are the same to the
// byte.
#pragma once

#include <act/runtime/tokenizer/regular_expression.hpp>
#include <act/runtime/tokenizer/split_rule.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace act::runtime {

/// GPT-2's pattern, as OpenAI's encoder and `tokenizers`' ByteLevel have it.
inline constexpr std::string_view gpt2_pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// A number, as `tokenizers`' Digits has it: with a few of Unicode 17, which its patterns don't know.
inline constexpr std::string_view digit_pattern = R"([\p{N}\x{11de0}-\x{11de9}\x{16ff4}-\x{16ff6}])";

/// Pieces of a text: ranges of one string.
struct text_pieces {
  struct piece {
    std::size_t begin, end;
    bool first;  ///< it begins where the whole text that is tokenised does
  };

  std::string text;
  std::vector<piece> pieces;

  [[nodiscard]] std::string_view operator[](std::size_t at) const {
    return std::string_view(text).substr(pieces[at].begin, pieces[at].end - pieces[at].begin);
  }
};

/// `ByteLevel`: GPT-2's pattern, if asked for, then every byte as its character of GPT-2's alphabet.
struct byte_level_step {
  bool prefix_space = false;         ///< a piece gets a leading space if it has none
  std::optional<split_rule> splits;  ///< by GPT-2's pattern
};

/// `Metaspace`: spaces become a mark, which begins pieces.
struct metaspace_step {
  enum class prefix { always, first, never };

  std::string mark;                    ///< one character
  prefix put_before = prefix::always;  ///< which pieces get a leading mark if they have none
  std::optional<split_rule> splits;    ///< before every mark
};

/// An ordered list of steps; each works on every piece of the one before. Immutable in use: any number of
/// threads.
class pre_tokenizer {
 public:
  using step = std::variant<split_rule, byte_level_step, metaspace_step>;

  /// No step at all: the whole text is one piece.
  pre_tokenizer() = default;

  /// GPT-2, OPT, GPT-J, GPT-NeoX.
  [[nodiscard]] static pre_tokenizer gpt2();

  void add(step next) { steps_.push_back(std::move(next)); }

  /// Adds a split. Throws `error` naming `where` as `regular_expression` does.
  void add_split(std::string_view pattern, split_behaviour behaviour, std::string_view where,
                 bool inverted = false);
  /// Adds a split at numbers: each one alone, or runs of them.
  void add_digits(bool individual);
  /// Adds `ByteLevel`.
  void add_byte_level(bool prefix_space, bool by_pattern);
  /// Adds `Metaspace`.
  void add_metaspace(std::string_view mark, metaspace_step::prefix put_before, bool split);

  /// There is a `ByteLevel` step; there are other steps than `ByteLevel`; a `ByteLevel` step has
  /// `prefix_space`.
  [[nodiscard]] bool has_byte_level() const;
  [[nodiscard]] bool has_other_steps() const;
  [[nodiscard]] bool prefix_space() const;
  /// Sets `prefix_space` of every `ByteLevel` step.
  void set_prefix_space(bool wanted);

  /// Scratch memory of one call, reused from text to text.
  struct workspace {
    std::string text;
    std::vector<text_pieces::piece> pieces;
    std::vector<split_rule::range> cut;
  };

  /// The pieces of made.text (valid UTF-8), which comes as one piece, in order; none is empty.
  /// `first`: it begins where the text that is tokenised does. Throws `error` (unsupported) when a pattern
  /// backtracks beyond PCRE2's limits.
  void split(text_pieces& made, bool first, workspace& scratch) const;

 private:
  std::vector<step> steps_;
};

}  // namespace act::runtime
