// What the folders of Qwen 2 and 3 share. For these two families.
#pragma once

#include <act/runtime/architecture/architecture.hpp>
#include <act/runtime/architecture/folder_settings.hpp>

namespace act::runtime {

/// Llama's layout, and a window in the layers from `max_window_layers` on where `use_sliding_window` is true.
/// Throws as `read_sizes`.
[[nodiscard]] model_description qwen_from_folder(const hf_config& file, const char* architecture,
                                                 const folder_keys& keys);

}  // namespace act::runtime
