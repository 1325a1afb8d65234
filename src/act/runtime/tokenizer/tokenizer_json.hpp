// tokenizer.json, the file of the Python package `tokenizers`: BPE and unigram models with the steps around
// them (tokenizer_json_steps.hpp, tokenizer_json_model.hpp) and added tokens. What act doesn't have is
// refused by name: passing it over would give other ids without a word. Truncation and padding, which belong
// to a call rather than a vocabulary, are passed over.
#pragma once

#include <act/runtime/tokenizer/pipeline_tokenizer.hpp>

#include <string>

namespace act::runtime {

/// The parts of the tokenizer that the file describes; it doesn't say which tokens begin and end a text.
/// Throws `error`: io, invalid_input for what is malformed, unsupported for a component act doesn't have,
/// mismatch for an added token whose id isn't the one that `tokenizers` gives it, each naming file and place.
[[nodiscard]] pipeline_parts read_tokenizer_json(const std::string& file);

}  // namespace act::runtime
