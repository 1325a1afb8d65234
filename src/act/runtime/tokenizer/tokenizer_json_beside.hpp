// A tokenizer.json beside a tokenizer.model, as Llama 2, Mistral and Gemma are published: two forms of one
// tokenizer. For the reader of a folder, which takes pieces and scores from tokenizer.model, as llama.cpp
// does, and what only tokenizer.json says from there.
#pragma once

#include <act/runtime/tokenizer/sentencepiece.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

struct tokenizer_json_beside {
  /// The first difference from the pieces, in words; empty when the vocabularies are the same.
  std::string difference;
  space_before space;                ///< as its normalizer and pre-tokenizer put it
  std::vector<special_token> added;  ///< its added tokens
  /// It has a template, and which tokens stand there before and behind a text.
  bool has_template = false;
  std::vector<std::string> before, behind;
  std::vector<std::string> unknown_steps;  ///< of its normalizer and pre-tokenizer, which were passed over
};

/// The file describes SentencePiece's kind of tokenizer: BPE or unigram without a ByteLevel step. Throws as
/// below.
[[nodiscard]] bool is_sentencepiece_json(const std::string& file);

/// Reads such a file, and compares its vocabulary with `pieces`. Throws `error`: io, invalid_input for a
/// malformed file. Cost: that of parsing it.
[[nodiscard]] tokenizer_json_beside read_tokenizer_json_beside(const std::string& file,
                                                               std::span<const std::string_view> pieces);

}  // namespace act::runtime
