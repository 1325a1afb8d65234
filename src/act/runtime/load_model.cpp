#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/architecture/llama.hpp>
#include <act/runtime/architecture/opt.hpp>
#include <act/runtime/architecture/weights.hpp>
#include <act/runtime/checkpoint/folder_weights.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/checkpoint/hf_config.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/tokenizer/load.hpp>
#include <act/runtime/tokenizer/load_folder.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace act::runtime {

model read_model(const std::shared_ptr<const gguf_file>& file) {
  const std::string& path = file->path();
  const auto architecture = file->get<std::string_view>("general.architecture");
  if (architecture != "llama") {
    throw error(
        error_code::unsupported, path,
        "architecture '" + io::printable(architecture) + "' isn't supported in GGUF files; act reads llama");
  }
  const model_config config = llama_config(*file);
  const checkpoint_tensors tensors{.find = [&](std::string_view name) { return file->find_tensor(name); },
                                   .file_of = [&](std::string_view) { return path; },
                                   .file = file};
  const tensor_names names = gguf_tensor_names();
  return read_weights(tensors, config, names);
}

model read_model(const std::string& folder) {
  const hf_config file(folder);
  const std::string type = file.model_type();
  model_config config;
  tensor_names names;
  if (type == "llama") {
    config = llama_config(file);
    names = llama_tensor_names();
  } else if (type == "opt") {
    config = opt_config(file);
    names = opt_tensor_names();
  } else {
    throw error(error_code::unsupported, file.path(),
                "'model_type' is '" + io::printable(type) + "'; act reads llama and opt");
  }
  const auto weights = std::make_shared<const folder_weights>(folder);
  const auto find = [&](std::string_view name) {
    const tensor_view* found = weights->find_tensor(name);
    // Checkpoints saved from the bare model, without its head, lack the outermost prefix.
    const bool bare = found == nullptr && name.starts_with("model.");
    return bare ? weights->find_tensor(name.substr(6)) : found;
  };
  const checkpoint_tensors tensors{.find = find,
                                   .file_of = [&](std::string_view name) { return weights->file_of(name); },
                                   .file = weights};
  return read_weights(tensors, config, names);
}

loaded_model load_model(const std::string& path) {
  loaded_model loaded{.model = {}, .tokenizer = nullptr, .path = path};
  if (std::filesystem::is_directory(path)) {
    loaded.model = read_model(path);
    loaded.tokenizer = load_tokenizer(path);
  } else {
    const auto file = std::make_shared<const gguf_file>(path);
    loaded.model = read_model(file);
    loaded.tokenizer = load_tokenizer(*file);
  }
  if (loaded.tokenizer->vocabulary_size() > loaded.model.config.vocabulary) {
    throw error(error_code::mismatch, path,
                "the tokenizer has " + std::to_string(loaded.tokenizer->vocabulary_size()) +
                    " tokens, the embedding " + std::to_string(loaded.model.config.vocabulary) +
                    " rows; convert the model again");
  }
  return loaded;
}

}  // namespace act::runtime
