// The Llama family: RMSNorm, rotary positions, grouped key/value heads, SwiGLU, tied or separate output.
#pragma once

#include <act/runtime/architecture/tensor_names.hpp>
#include <act/runtime/model.hpp>

namespace act::runtime {

class gguf_file;
class hf_config;

/// The configuration in a GGUF file's metadata (keys "llama.*"). Throws `error`: invalid_input for a missing
/// or impossible value, unsupported for a setting that act doesn't have, each naming file and key.
///
/// Trap: GGUF converters permute the rows of Q and K so that rotary pairs lie side by side. Attention scores
/// don't change by that as long as both are rotated as interleaved pairs, so the rows stay as they are.
[[nodiscard]] model_config llama_config(const gguf_file& file);

/// The configuration in a Hugging Face folder's config.json (model_type "llama"). Q and K rows are in the
/// original order: rotary pairs are half a head apart. Throws as `read_hf_llama`.
[[nodiscard]] model_config llama_config(const hf_config& file);

/// The names in Hugging Face folders.
[[nodiscard]] tensor_names llama_tensor_names();

}  // namespace act::runtime
