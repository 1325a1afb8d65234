// Opens a checkpoint and returns a model ready to run: the door of the runtime.
#pragma once

#include <act/error.hpp>
#include <act/runtime/architecture/llama.hpp>
#include <act/runtime/architecture/weights.hpp>
#include <act/runtime/files/gguf.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/tokenizer/load.hpp>
#include <filesystem>
#include <memory>
#include <string>

namespace act::inline ACT_ABI {

/// A model and the tokenizer that its file carries.
struct loaded_model {
  act::model model;
  std::unique_ptr<act::tokenizer> tokenizer;
  std::filesystem::path path;
};

/// The model in an open GGUF file. The model keeps the file mapped. Throws as `load_model`.
[[nodiscard]] inline model read_model(const std::shared_ptr<const gguf_file>& file) {
  const std::string path = file->path().string();
  const auto architecture = file->get<std::string_view>("general.architecture");
  if (architecture != "llama") {
    throw error(error_code::unsupported, path,
                "architecture '" + std::string(architecture) + "' isn't supported; act reads llama");
  }
  const model_config config = llama_config(*file);
  const checkpoint_tensors tensors{
      .path = path, .find = [&](std::string_view name) { return file->find_tensor(name); }, .file = file};
  const tensor_names names = gguf_tensor_names();
  return weight_reader(tensors, config, names).read();
}

/// Loads a `.gguf` file. Throws `error` with one line that names file, place and mend. Cost: all weights but
/// the vocabulary's rows are expanded to float32 (425 MB for SmolLM2-135M, a fraction of a second).
[[nodiscard]] inline loaded_model load_model(const std::filesystem::path& path) {
  const auto file = std::make_shared<const gguf_file>(path);
  loaded_model loaded{.model = read_model(file), .tokenizer = load_tokenizer(*file), .path = path};
  if (loaded.tokenizer->vocabulary_size() > loaded.model.config.vocabulary) {
    throw error(error_code::mismatch, path.string(),
                "the tokenizer has " + std::to_string(loaded.tokenizer->vocabulary_size()) +
                    " tokens, the embedding " + std::to_string(loaded.model.config.vocabulary) +
                    " rows; convert the model again");
  }
  return loaded;
}

}  // namespace act::inline ACT_ABI
