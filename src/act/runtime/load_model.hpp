// Opens a checkpoint and returns a model ready to run: the door of the runtime.
#pragma once

#include <act/runtime/model.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <memory>
#include <string>
#include <vector>

namespace act::runtime {

class gguf_file;

/// The model in an open GGUF file. The model keeps the file mapped. Throws as `load_model`.
[[nodiscard]] model read_model(const std::shared_ptr<const gguf_file>& file,
                               compute_type compute = compute_type::f32);

/// The model in a Hugging Face folder. Throws as `load_model`.
[[nodiscard]] model read_model(const std::string& folder, compute_type compute = compute_type::f32);

/// A model and the tokenizer that its file carries.
struct loaded_model {
  runtime::model model;
  std::unique_ptr<runtime::tokenizer> tokenizer;
  std::string path;
  std::vector<std::string> notices;  ///< what was passed over for something else, a line each, to be shown
};

/// Loads a `.gguf` file, or a Hugging Face folder (config.json, safetensors or PyTorch's files, tokenizer
/// files). Throws `error` with one line that names file, place and mend. Cost: one pass over the file, which
/// stays mapped: matrices are used where they lie.
[[nodiscard]] loaded_model load_model(const std::string& path, compute_type compute = compute_type::f32);

}  // namespace act::runtime
