#include <act/error.hpp>
#include <act/runtime/architecture/architecture.hpp>
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

model read_model(const std::shared_ptr<const gguf_file>& file, compute_type compute) {
  const checkpoint_tensors tensors{.find = [&](std::string_view name) { return file->find_tensor(name); },
                                   .file_of = [&](std::string_view name) { return file->file_of(name); },
                                   .file = file};
  return read_weights(tensors, describe(*file), compute);
}

model read_model(const std::string& folder, compute_type compute) {
  const model_description description = describe(hf_config(folder));
  const auto weights = std::make_shared<const folder_weights>(folder);
  const checkpoint_tensors tensors{.find = [&](std::string_view name) { return weights->find_tensor(name); },
                                   .file_of = [&](std::string_view name) { return weights->file_of(name); },
                                   .file = weights};
  return read_weights(tensors, description, compute);
}

loaded_model load_model(const std::string& path, compute_type compute) {
  loaded_model loaded{.model = {}, .tokenizer = nullptr, .path = path, .notices = {}};
  if (std::filesystem::is_directory(path)) {
    loaded.model = read_model(path, compute);
    loaded.tokenizer = load_tokenizer(path, loaded.notices);
  } else {
    const auto file = std::make_shared<const gguf_file>(path);
    loaded.model = read_model(file, compute);
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
