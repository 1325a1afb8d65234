// SentencePiece tokenizers (Llama, Mistral, Gemma), unigram and BPE, through libsentencepiece, from a
// tokenizer.model or from the lists in a GGUF file. Builds without the library have the door but refuse. Ids
// are the library's own; special and added tokens written out in a text are cut out first, and each stretch
// between them is tokenised by itself. docs/tokenizers.md says which reference is followed where several
// differ.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_settings.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace act::runtime {

class gguf_file;

/// Where a space is put before text, to make its first word look like one inside a sentence.
struct space_before {
  enum class place { nowhere, before_the_text, before_every_stretch };
  place where = place::before_every_stretch;  ///< a stretch lies between special or added tokens
  bool another = true;                        ///< also where there is a space already
};

/// What a SentencePiece tokenizer is made of.
struct sentencepiece_parts {
  std::string source;                ///< the file, for messages
  std::string model;                 ///< serialised ModelProto
  std::optional<token_id> bos, eos;  ///< absent: what `settings` name, or else what the model says
  std::vector<token_id> ends;        ///< what ends a text beside eos
  bool add_bos = true, add_eos = false;
  std::optional<space_before> space;    ///< absent: as the model says, before every stretch or nowhere
  bool keeps_spaces = false;            ///< extra spaces stay, whatever the model says
  bool user_defined_are_added = false;  ///< the model's user-defined pieces end stretches too
  tokenizer_settings settings;          ///< the tokens that the files beside it name
};

/// A tokenizer from its parts. Throws `error`: invalid_input for a model that is malformed or contradicts
/// itself, mismatch for settings that contradict it, unsupported for one that rewrites characters by a
/// compiled table (the library trusts the table's content) or has another setting act doesn't have, and in a
/// build without libsentencepiece. `notices` as in `add_tokens`.
[[nodiscard]] std::unique_ptr<tokenizer> make_sentencepiece(sentencepiece_parts parts,
                                                            std::vector<std::string>& notices);

/// The parts in a tokenizer.model. Throws `error` (io).
[[nodiscard]] sentencepiece_parts read_sentencepiece(const std::string& path);

/// The parts in a GGUF file whose 'tokenizer.ggml.model' is "llama". Throws `error` (invalid_input,
/// unsupported).
[[nodiscard]] sentencepiece_parts read_sentencepiece(const gguf_file& file);

}  // namespace act::runtime
