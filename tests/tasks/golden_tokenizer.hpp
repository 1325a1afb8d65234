// The small tokenizers of tests/golden/tokenizer.
#pragma once

#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/tokenizer/load.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace act_test {

/// That of the vocabulary in one of the GGUF files there.
inline std::unique_ptr<act::runtime::tokenizer> golden_tokenizer(const std::string& file) {
  return act::runtime::load_tokenizer(
      act::runtime::gguf_file(std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "tokenizer" / file));
}

}  // namespace act_test
