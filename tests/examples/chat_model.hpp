// The tiny golden checkpoint with what it lacks: a chat template, a longer context, and tokens for the label
// words of sst2 and trec, which otherwise end in the same letters.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/tiny_task.hpp"

namespace act_test {

/// The bytes of a GGUF file. The label words replace bytes that no text here has; the template goes in front
/// of the other entries and is padded, so that what follows keeps its alignment.
inline std::string tiny_chat_model(std::uint32_t context = 2048) {
  std::string bytes = read_file(tiny_model);
  const auto little = [](auto number) {
    std::string text(sizeof number, '\0');
    std::memcpy(text.data(), &number, sizeof number);
    return text;
  };
  const auto behind = [&](const std::string& name) {
    const std::size_t at = bytes.find(name);
    REQUIRE(at != std::string::npos);
    return at + name.size();
  };
  std::size_t at = behind("llama.context_length");
  REQUIRE(bytes.substr(at, 4) == little(std::uint32_t{4}));  // 32 bits without a sign
  bytes.replace(at + 4, 4, little(context));

  const std::size_t before = bytes.size();
  const std::vector<std::string> words = {" negative",    " positive", " Expression", " Entity",
                                          " Description", " Person",   " Location",   " Number"};
  constexpr std::size_t first = 240;
  const std::size_t kinds = behind("tokenizer.ggml.token_type") + 16;  // type, type of elements, count
  for (std::size_t i = 0; i < words.size(); ++i)
    bytes.replace(kinds + 4 * (first + i), 4, little(std::int32_t{4}));  // found in text as they are
  at = behind("tokenizer.ggml.tokens") + 16;
  const auto length = [&] {
    std::uint64_t size = 0;
    std::memcpy(&size, bytes.data() + at, 8);
    return static_cast<std::size_t>(size);
  };
  for (std::size_t i = 0; i < first; ++i)
    at += 8 + length();
  for (const std::string& word : words) {
    bytes.replace(at, 8 + length(), little(std::uint64_t{word.size()}) + word);
    at += 8 + word.size();
  }

  const std::string key = "tokenizer.chat_template";
  std::string written =
      "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
      "{% if add_generation_prompt %}assistant: {% endif %}";
  const std::size_t fixed = 8 + key.size() + 4 + 8 + bytes.size() - before;
  const std::string padding((32 - (fixed + written.size() + 4) % 32) % 32, ' ');
  written += "{#" + padding + "#}";
  std::uint64_t entries = 0;
  std::memcpy(&entries, bytes.data() + 16, 8);  // behind the magic number, the version, the count of tensors
  bytes.replace(16, 8, little(entries + 1));
  bytes.insert(24, little(std::uint64_t{key.size()}) + key + little(std::uint32_t{8}) +
                       little(std::uint64_t{written.size()}) + written);
  return bytes;
}

}  // namespace act_test
