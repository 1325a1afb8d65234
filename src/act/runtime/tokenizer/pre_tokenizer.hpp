// Cuts a text into the pieces that byte-level BPE merges within: words with their leading space, runs of
// digits, of signs, of white space. It makes no tokens (byte_level_bpe.hpp). The reference is the Python
// package `tokenizers`; the pieces are the same to the byte.
#pragma once

#include <act/runtime/tokenizer/regular_expression.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
  [[nodiscard]] static pre_tokenizer gpt2() {
    pre_tokenizer made;
    made.add(gpt2_pattern, split_behaviour::isolated, "the GPT-2 pattern");
    return made;
  }
  /// SmolLM, StarCoder: every digit alone first, then GPT-2's pattern on what lies between.
  [[nodiscard]] static pre_tokenizer smollm() {
    pre_tokenizer made;
    made.add_digits(true);
    made.add(gpt2_pattern, split_behaviour::isolated, "the GPT-2 pattern");
    return made;
  }

  /// Llama 3.
  [[nodiscard]] static pre_tokenizer llama3() {
    pre_tokenizer made;
    made.add(llama3_pattern, split_behaviour::isolated, "the Llama 3 pattern");
    return made;
  }

  /// Adds a split. Throws `error` naming `where` when the pattern doesn't compile.
  void add(std::string_view pattern, split_behaviour behaviour, std::string_view where) {
    splits_.push_back({regular_expression(pattern, where), behaviour});
  }
  /// Adds a split at numbers: each one alone, or runs of them.
  void add_digits(bool individual) {
    // A few numbers of Unicode 17, which `tokenizers`' digit rule knows and its patterns don't.
    constexpr std::string_view one = R"([\p{N}\x{11de0}-\x{11de9}\x{16ff4}-\x{16ff6}])";
    add(std::string(one) + (individual ? "" : "+"), split_behaviour::isolated, "the digit rule");
  }

  /// Appends the pieces of `text` (valid UTF-8, outlives them) in order; none is empty.
  /// Throws `error` (unsupported) when a pattern backtracks beyond PCRE2's limits.
  void split(std::string_view text, std::vector<std::string_view>& pieces) const {
    if (text.empty()) return;
    const std::size_t first = pieces.size();
    pieces.push_back(text);
    std::vector<std::string_view> cut;
    for (const rule& r : splits_) {
      cut.clear();
      regular_expression::matcher matcher(r.pattern);
      for (std::size_t i = first; i < pieces.size(); ++i)
        split_one(r, matcher, pieces[i], cut);
      pieces.resize(first);
      pieces.insert(pieces.end(), cut.begin(), cut.end());
    }
  }

 private:
  struct rule {
    regular_expression pattern;
    split_behaviour behaviour;
  };

  static void split_one(const rule& r, regular_expression::matcher& matcher, std::string_view text,
                        std::vector<std::string_view>& out) {
    std::size_t begun = 0;  // start of the piece that isn't out yet
    const auto put = [&](std::size_t begin, std::size_t end) {
      if (begin < end) out.push_back(text.substr(begin, end - begin));
    };
    for (std::size_t from = 0; from <= text.size();) {
      const std::optional<regular_expression::match> m = matcher.find(text, from);
      if (!m) break;
      if (m->begin == m->end) {  // an empty match splits nothing; go on one character later
        from = m->end + 1;
        while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xc0) == 0x80)
          ++from;
        continue;
      }
      switch (r.behaviour) {
        case split_behaviour::isolated:
          put(begun, m->begin);
          put(m->begin, m->end);
          begun = m->end;
          break;
        case split_behaviour::removed:
          put(begun, m->begin);
          begun = m->end;
          break;
        case split_behaviour::kept:
          put(m->begin, m->end);
          begun = m->end;
          break;
        case split_behaviour::merged_with_previous:
          put(begun, m->end);
          begun = m->end;
          break;
        case split_behaviour::merged_with_next:
          put(begun, m->begin);
          begun = m->begin;
          break;
      }
      from = m->end;
    }
    if (r.behaviour != split_behaviour::kept) put(begun, text.size());
  }

  std::vector<rule> splits_;
};

}  // namespace act::runtime
