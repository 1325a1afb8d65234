// Reads back what the programs wrote.
#pragma once

#include <nlohmann/json.hpp>

#include <sstream>
#include <string>
#include <vector>

#include "examples/process.hpp"

namespace act_test {

inline nlohmann::json parsed(const std::string& path) {
  return nlohmann::json::parse(read_file(path));
}

inline std::vector<nlohmann::json> json_lines(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(nlohmann::json::parse(line));
  return lines;
}

inline std::vector<nlohmann::json> parsed_lines(const std::string& path) {
  return json_lines(read_file(path));
}

}  // namespace act_test
