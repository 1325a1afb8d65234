// The golden statistics (tests/golden/statistics/make_statistics.py).
#pragma once

#include <act/io/text_file.hpp>

#include <nlohmann/json.hpp>

#include <string>

namespace act_test {

inline nlohmann::json golden_statistics(const std::string& topic) {
  const std::string path = ACT_TEST_GOLDEN_DIR "/statistics/statistics.json";
  return nlohmann::json::parse(act::io::read_text_file(path).text).at(topic);
}

}  // namespace act_test
