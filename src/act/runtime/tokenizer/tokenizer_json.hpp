// tokenizer.json, the file of the Python package `tokenizers`, as far as it describes byte-level BPE: its
// vocabulary and merges, normalizers, pre-tokenizers, added tokens, and the tokens its post-processor puts
// around a text. Every other component is refused by name: ignoring one would give other ids without a word.
// Truncation and padding, which belong to a call rather than a vocabulary, are ignored.
#pragma once

#include <act/runtime/tokenizer/byte_level_bpe.hpp>

#include <string>

namespace act::runtime {

/// The parts of the tokenizer that the file describes; it doesn't say which tokens begin and end a text.
/// Throws `error`: io, invalid_input for what is malformed, unsupported for a component act doesn't have,
/// each naming file and place.
[[nodiscard]] byte_level_bpe_parts read_tokenizer_json(const std::string& file);

}  // namespace act::runtime
