// SentencePiece's unigram model over one piece of text: of all ways to cut it into tokens, the one with the
// largest sum of scores. For pipeline_tokenizer.hpp, from a tokenizer.json; tokenizer.model files are
// sentencepiece.hpp's. The reference is the Python package `tokenizers`.
#pragma once

#include <act/runtime/tokenizer/byte_trie.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/vocabulary.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace act::runtime {

/// What a model has beside its vocabulary.
struct unigram_settings {
  std::vector<double> scores;       ///< one for each token
  std::optional<token_id> unknown;  ///< for characters the vocabulary lacks; without it they are an error
  bool byte_fallback = false;       ///< runs of unknown characters are their bytes' tokens, if all are there
};

/// Immutable in use.
class unigram_model {
 public:
  /// Throws `error`, naming `source`: invalid_input for tokens that are there twice, unsupported for one of
  /// more than 1,024 bytes, which would make long texts slow.
  /// `control`: tokens that no text becomes, whatever it spells.
  unigram_model(const vocabulary::list& tokens, const unigram_settings& settings, const std::string& source,
                const std::unordered_set<token_id>& control = {});

  [[nodiscard]] std::optional<token_id> find(std::string_view token) const { return tokens_.find(token); }

  /// Scratch memory of one call, reused from piece to piece.
  struct workspace {
    struct best_end {
      double score = 0;
      std::size_t begun = 0;
      token_id id = 0;
      bool reached = false, unknown = false;
    };
    std::vector<best_end> ends;
    std::vector<best_end> path;
  };

  /// Appends the ids of `piece` (valid UTF-8, not empty). Throws `error` (invalid_input) for a character that
  /// the vocabulary lacks when there is no unknown token. Cost: O(n x longest token).
  void encode(std::string_view piece, workspace& scratch, std::vector<token_id>& ids) const;

 private:
  void put_unknown(std::string_view text, std::vector<token_id>& ids) const;

  std::string source_;
  vocabulary tokens_;
  byte_trie trie_;  // its values: places in scores_ and ids_
  std::vector<double> scores_;
  std::vector<token_id> ids_;
  double unknown_score_ = 0;
  std::optional<token_id> unknown_;
  std::optional<std::array<std::optional<token_id>, 256>> bytes_;  // with byte fallback
};

}  // namespace act::runtime
