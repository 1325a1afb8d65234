// A model family as data: which settings of its files mean what, and where its weights are. architectures.cpp
// lists those that act reads; docs/architectures.md adds one, step by step.
#pragma once

#include <act/runtime/architecture/tensor_layout.hpp>
#include <act/runtime/model.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace act::runtime {

class gguf_file;
class hf_config;

/// What a checkpoint says of itself: all that the loader needs besides the tensors.
struct model_description {
  model_config config;
  tensor_layout tensors;
};

/// The readers throw `error`: invalid_input for a missing or impossible value, unsupported for a setting that
/// act doesn't have, each naming file and key.
struct architecture {
  std::string_view model_type;  ///< `model_type` of config.json; empty: not in folders
  std::string_view gguf_name;   ///< `general.architecture`; empty: not in GGUF files
  model_description (*from_folder)(const hf_config& file) = nullptr;
  model_description (*from_gguf)(const gguf_file& file) = nullptr;
};

/// No model has so many layers, heads, or numbers in a head: what is set aside for each before a tensor is
/// looked at stays small, whatever a file claims.
inline constexpr std::size_t most_layers = 1 << 14, most_heads = 1 << 14, largest_head = 1 << 14;

/// Ends the context where LongRoPE's short factors end: texts longer than `trained` turn by its long ones.
void keep_to_short_factors(double trained, model_config& config);

/// All of them, in the order of their names.
[[nodiscard]] std::span<const architecture* const> architectures() noexcept;

/// What the folder's config.json or the GGUF file's metadata says. Throws `error` (unsupported) for an
/// unknown architecture, with the list of those that are known, and as the architecture's reader.
[[nodiscard]] model_description describe(const hf_config& file);
[[nodiscard]] model_description describe(const gguf_file& file);

}  // namespace act::runtime
