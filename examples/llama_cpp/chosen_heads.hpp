// The heads of a heads file, as the hook takes them. For this folder's programs, which are built with act's
// libraries; the hook itself needs the core alone.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "llama_cpp/hook/attention_hook.hpp"

namespace act_program {
struct calibration_flags;
}

namespace act_llama {

class loaded_model;

/// Heads and options of the file at `path`, the options as `flags` change them. Throws act::error for what
/// can't be read, for options that decoding doesn't know, and for heads of another architecture or of layers
/// or heads that the model doesn't have (mismatch). The file's fingerprint isn't compared: llama.cpp runs the
/// same model in types that have another.
[[nodiscard]] std::vector<layer_choice> read_heads(const std::string& path,
                                                   const act_program::calibration_flags& flags,
                                                   const loaded_model& model);

}  // namespace act_llama
