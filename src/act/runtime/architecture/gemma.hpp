// What Gemma 2 and 3 share. For these two families.
#pragma once

#include <act/runtime/architecture/architecture.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>

#include <cstddef>

namespace act::runtime {

/// The keys of config.json and their defaults; of the families' own are the vocabulary and the context.
[[nodiscard]] folder_keys gemma_keys(std::size_t vocabulary_absent, std::size_t context_absent);

/// Sizes, norms on both ends of both branches, the scaled embedding, soft caps. Not yet: positions and which
/// layers have a window. Throws as `read_sizes`.
[[nodiscard]] model_description gemma_from_folder(const hf_config& file, const char* architecture,
                                                  const folder_keys& keys);
[[nodiscard]] model_description gemma_from_gguf(const gguf_settings& from, const char* architecture);

/// What scores are multiplied by in a GGUF file, which doesn't say: 1 / sqrt(head size), but for the largest
/// model of a family, with `layers_of_largest` layers, 1 / sqrt(hidden / heads).
[[nodiscard]] float gemma_gguf_scale(const model_config& config, std::size_t layers_of_largest) noexcept;

}  // namespace act::runtime
