// The protocol-buffer form of a SentencePiece model, as far as act needs it: a few facts read from a
// tokenizer.model, settings that overrule its own, and a model written from a GGUF file's lists. For
// sentencepiece.hpp; the library that tokenises reads the whole of it itself. Field numbers:
// sentencepiece_model.proto of google/sentencepiece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

/// What act has to know of a model beyond what the library does with it.
struct sentencepiece_facts {
  bool dummy_prefix = true;               ///< a space is put before every text
  bool remove_extra_spaces = true;        ///< spaces at the ends vanish, others become one
  bool character_map = false;             ///< characters are rewritten by a compiled table
  bool space_behind = false;              ///< the space belongs to the word before it
  bool escapes_spaces = true;             ///< spaces are written as U+2581
  std::uint64_t kind = 1;                 ///< 1 unigram, 2 BPE, 3 words, 4 characters
  std::vector<std::string_view> pieces;   ///< by id; they lie in the model
  std::vector<std::size_t> user_defined;  ///< ids of the pieces that are always taken whole
};

/// Walks the model's fields, checking that each lies inside the one around it. Throws `error`
/// (invalid_input).
[[nodiscard]] sentencepiece_facts read_sentencepiece_facts(std::span<const std::byte> model,
                                                           const std::string& file);

/// What makes a model, written behind it, treat spaces this way and not as it says itself: of a setting that
/// is there twice, the last counts.
[[nodiscard]] std::string overruling_spaces(bool dummy_prefix, bool remove_extra_spaces);

/// Writes a model of pieces and the settings that change ids.
class sentencepiece_writer {
 public:
  /// Adds the next piece; `type` as in the format.
  void piece(std::string_view text, float score, std::uint64_t type);

  /// The whole model, of the pieces so far.
  [[nodiscard]] std::string model(bool byte_fallback, bool dummy_prefix, bool remove_extra_spaces) const;

 private:
  std::string pieces_;
};

}  // namespace act::runtime
