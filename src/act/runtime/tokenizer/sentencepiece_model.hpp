// The protocol-buffer form of a SentencePiece model, as far as act needs it: two facts read from a
// tokenizer.model, and a model written from a GGUF file's lists. For sentencepiece.hpp; the library that
// tokenises reads the whole of it itself. Field numbers: sentencepiece_model.proto of google/sentencepiece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace act::runtime {

/// What act has to know of a model beyond what the library does with it.
struct sentencepiece_facts {
  bool dummy_prefix = true;    ///< a space is put before every text
  bool character_map = false;  ///< characters are rewritten by a compiled table
};

/// Walks the model's fields, checking that each lies inside the one around it. Throws `error`
/// (invalid_input).
[[nodiscard]] sentencepiece_facts read_sentencepiece_facts(std::span<const std::byte> model,
                                                           const std::string& file);

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
