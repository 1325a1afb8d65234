// The golden prompts and the sample files they were made from (tests/golden/tasks/make_prompts.py).
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/read_samples.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace act_test {

inline std::filesystem::path golden_tasks() {
  return std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "tasks";
}

struct golden_prompt {
  nlohmann::json expected;
  act::tasks::task task;
  std::vector<act::tasks::sample> samples;  // of the whole file
  std::vector<act::tasks::sample> shots;

  const act::tasks::sample& asked() const { return samples.at(expected.at("index").get<std::size_t>()); }
};

inline std::vector<golden_prompt> golden_prompts() {
  std::vector<golden_prompt> all;
  std::istringstream lines(act::io::read_text_file(golden_tasks() / "prompts.jsonl").text);
  for (std::string line; std::getline(lines, line);) {
    golden_prompt& read = all.emplace_back();
    read.expected = nlohmann::json::parse(line);
    read.task = act::tasks::find_task(read.expected.at("task").get<std::string>());
    read.samples = act::tasks::read_samples(
        read.task, golden_tasks() / "data" / read.expected.at("file").get<std::string>());
    for (const auto& position : read.expected.at("shots")) {
      read.shots.push_back(read.samples.at(position.get<std::size_t>()));
    }
  }
  return all;
}

}  // namespace act_test
