// Opens a checkpoint and returns a model ready to run: the door of the runtime.
#pragma once

#include <act/runtime/model.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <memory>
#include <string>
#include <vector>

namespace act::runtime {

class gguf_file;

/// The model in an open GGUF file. The model keeps the file mapped. Throws as `load_model`.
[[nodiscard]] model read_model(const std::shared_ptr<const gguf_file>& file);

/// The model in a Hugging Face folder. Throws as `load_model`.
[[nodiscard]] model read_model(const std::string& folder);

/// A model and the tokenizer that its file carries.
struct loaded_model {
  runtime::model model;
  std::unique_ptr<runtime::tokenizer> tokenizer;
  std::string path;
  std::vector<std::string> notices;  ///< what was passed over for something else, a line each, to be shown
};

/// Loads a `.gguf` file, or a Hugging Face folder (config.json, safetensors or PyTorch's files, tokenizer
/// files). Throws `error` with one line that names file, place and mend. Cost: all weights but the
/// vocabulary's rows are expanded to float32 (425 MB for SmolLM2-135M, a fraction of a second).
[[nodiscard]] loaded_model load_model(const std::string& path);

}  // namespace act::runtime
