// The tokenizer that belongs to a model file, made from what the file says about it.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <memory>

namespace act::runtime {

class gguf_file;

/// The tokenizer inside a GGUF file. Throws `error`: unsupported for a kind of tokenizer or pre-tokenizer act
/// doesn't have, invalid_input for metadata that is missing or contradicts itself. The file may be closed
/// afterwards.
[[nodiscard]] std::unique_ptr<tokenizer> load_tokenizer(const gguf_file& file);

}  // namespace act::runtime
