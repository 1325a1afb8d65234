// The small checkpoints of tests/golden/parity and what PyTorch says of them.
#pragma once

#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/load_model.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/parity_golden.hpp"

namespace act_test {

inline nlohmann::json json_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  return nlohmann::json::parse(in);
}

/// A GGUF file or a folder, without its tokenizer.
inline act::runtime::model read_any_model(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return act::runtime::read_model(path);
  return act::runtime::read_model(std::make_shared<const act::runtime::gguf_file>(path));
}

}  // namespace act_test
