// Byte-pair encoding of one piece of text: its characters' tokens, merged in the order of preference.
// Characters may be those of GPT-2's alphabet for bytes (byte_alphabet.hpp) or the text's own; one that the
// vocabulary lacks becomes its bytes' tokens, the unknown token, or nothing, as the file says. For
// pipeline_tokenizer.hpp; the reference is the Python package `tokenizers`.
#pragma once

#include <act/runtime/tokenizer/merge_table.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/vocabulary.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace act::runtime {

/// What a model has beside its vocabulary.
struct bpe_settings {
  std::vector<std::pair<std::string, std::string>> merges;  ///< most preferred first
  std::optional<token_id> unknown;  ///< for characters the vocabulary lacks; without it they vanish
  bool fuse_unknown = false;        ///< runs of unknown characters are one unknown token
  bool byte_fallback = false;       ///< characters the vocabulary lacks are their bytes' tokens, if all are
  bool whole_pieces = false;        ///< a piece that is a token becomes it without merging (`ignore_merges`)
};

/// Immutable in use.
class bpe_model {
 public:
  /// Throws `error` (invalid_input), naming `source`, for tokens that are there twice and for merges of or
  /// into tokens that don't exist.
  /// `control`: tokens that no text becomes, whatever it spells.
  bpe_model(const vocabulary::list& tokens, const bpe_settings& settings, const std::string& source,
            std::unordered_set<token_id> control = {});

  [[nodiscard]] std::optional<token_id> find(std::string_view token) const { return tokens_.find(token); }

  /// Scratch memory of one call, reused from piece to piece.
  struct workspace {
    std::vector<token_id> ids;
    merge_table::workspace merging;
  };

  /// Appends the ids of `piece` (valid UTF-8, not empty). Cost: O(n log n) in its length.
  void encode(std::string_view piece, workspace& scratch, std::vector<token_id>& ids) const;

 private:
  void add_merges(const std::vector<std::pair<std::string, std::string>>& merges, const std::string& source);

  [[nodiscard]] std::optional<token_id> token_of(std::string_view character) const;

  /// Appends the tokens of the character's bytes, if all of them are there.
  bool fall_back(std::string_view character, std::vector<token_id>& ids) const;

  vocabulary tokens_;
  merge_table merges_;
  std::optional<token_id> unknown_;
  bool fuse_unknown_, whole_pieces_;
  std::unordered_set<token_id> control_;
  std::array<std::optional<token_id>, 0x180> frequent_;            // by code point: saves looking up
  std::optional<std::array<std::optional<token_id>, 256>> bytes_;  // with byte fallback
};

}  // namespace act::runtime
