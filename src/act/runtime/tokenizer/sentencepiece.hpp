// SentencePiece tokenizers (Llama, Mistral) through libsentencepiece, from a tokenizer.model or from the
// lists in a GGUF file. Builds without the library have the door but refuse. Ids are the library's own;
// control tokens written out in a text become their ids first, and each stretch between them is tokenised by
// itself, as Llama's published tokenizer does.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <memory>
#include <optional>
#include <string>

namespace act::runtime {

class gguf_file;

/// What a SentencePiece tokenizer is made of.
struct sentencepiece_parts {
  std::string source;                ///< the file, for messages
  std::string model;                 ///< serialised ModelProto
  std::optional<token_id> bos, eos;  ///< absent: what the model says
  bool add_bos = true, add_eos = false;
};

/// A tokenizer from its parts. Throws `error`: invalid_input for a model that is malformed or contradicts
/// itself, unsupported for one that rewrites characters by a compiled table (the library trusts the table's
/// content) and in a build without libsentencepiece.
[[nodiscard]] std::unique_ptr<tokenizer> make_sentencepiece(sentencepiece_parts parts);

/// The parts in a tokenizer.model. Throws `error` (io).
[[nodiscard]] sentencepiece_parts read_sentencepiece(const std::string& path);

/// The parts in a GGUF file whose 'tokenizer.ggml.model' is "llama". Throws `error` (invalid_input,
/// unsupported).
[[nodiscard]] sentencepiece_parts read_sentencepiece(const gguf_file& file);

}  // namespace act::runtime
