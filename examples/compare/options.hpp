// act-compare's command line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "programs/flags.hpp"
#include "programs/program.hpp"

namespace act_program {

struct compare_options {
  common_options common;
  scoring_flags scoring;
  std::string task;
  std::string data;
  std::int64_t limit = 0;
  std::uint64_t seed = 0;
  std::vector<std::string> heads;
  std::string state;
  bool maps = false;
  bool include_search_samples = false;
  bool force = false;
};

void declare(command_line& line, compare_options& options);

}  // namespace act_program
