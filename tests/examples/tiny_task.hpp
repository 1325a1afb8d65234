// The tiny golden checkpoint with a task it can be run on: prompts and options in its own small vocabulary.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace act_test {

inline const std::string tiny_model =
    (std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "parity" / "tiny-llama-mixed.gguf").string();

/// A heads file for it.
inline const std::string tiny_heads = R"({"heads": [[1, 0], [1, 2], [2, 3], [3, 1]]})";

/// `count` different prompts of 10 to 40 words in the format of task `jsonl`.
inline std::string tiny_jsonl(std::size_t count, std::size_t variant = 0) {
  const char* words[] = {"the", "weather", "or",   "what", "people",  "ask",
                         "of",  "a",       "long", "and",  "winding", "road"};
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    std::string prompt;
    for (std::size_t word = 0; word < 10 + (i * 7 + variant) % 30; ++word) {
      prompt += std::string(word == 0 ? "" : " ") + words[(i * i + word * (i + 3) + variant * 5) % 12];
    }
    text +=
        "{\"prompt\": \"" + prompt + " " + std::to_string(i) +
        "\", \"options\": [\" the\", \" of\", \" a\"], \"label\": " + std::to_string((i * 5 + variant) % 3) +
        "}\n";
  }
  return text;
}

/// Questions in the format of task `arce`, with options of several words, three or four of them.
inline std::string tiny_arce(std::size_t count) {
  const std::vector<std::string> options = {"a long and winding road", "the weather", "what people ask",
                                            "people of the road"};
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    nlohmann::json choices = nlohmann::json::array();
    const std::size_t offered = 3 + i % 2;
    for (std::size_t option = 0; option < offered; ++option) {
      choices.push_back(
          {{"text", options[(i + option) % 4]}, {"label", std::string(1, static_cast<char>('A' + option))}});
    }
    const nlohmann::json line = {
        {"id", std::to_string(i)},
        {"question",
         {{"stem", "What do people ask of the long road number " + std::to_string(i * i) + "?"},
          {"choices", std::move(choices)}}},
        {"answerKey", std::string(1, static_cast<char>('A' + i % offered))}};
    text += line.dump() + "\n";
  }
  return text;
}

}  // namespace act_test
