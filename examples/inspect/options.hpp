// act-inspect's command line: what can be asked, and which questions don't fit together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "programs/flags.hpp"
#include "programs/program.hpp"

namespace act_program {

struct inspect_options {
  common_options common;
  calibration_flags calibration;  ///< what a sink is; the rest isn't asked but for --beta
  long_prompts_flag long_prompts;
  special_tokens_flag special_tokens;
  final_space_flag final_space;
  std::string prompt;
  std::string prompt_file;
  std::string task;
  std::string data;
  std::int64_t limit = 0;
  std::uint64_t seed = 0;
  std::size_t top = 15;
  std::string colour = "auto";
  std::string html;
  std::string svg;  ///< a folder
  std::vector<std::string> maps;
  std::string heads;  ///< of pictures: what maps are calibrated by
  bool force = false;
  double beta = 0.4;

  [[nodiscard]] bool wants_pictures() const noexcept { return !html.empty() || !svg.empty(); }

  std::string predictability;  ///< the text; empty: sinks are looked at
  std::vector<std::string> vectors;
  std::size_t references = 5;
  std::size_t lower_layers = 0;
  std::size_t context = 0;
  std::size_t max_windows = 0;
  std::size_t leave_out = 0;
  double ridge = 1e-6;
  std::uint64_t random_weights = 0;
};

void declare(command_line& line, inspect_options& options);

/// Throws act::error (invalid_option) unless there is one thing to look at. Nothing given is passed over.
void check_usage(const command_line& line, const inspect_options& options);

/// Whether standard output gets colour: by --color, else on a terminal that has it. NO_COLOR turns it off.
[[nodiscard]] bool wants_colour(const inspect_options& options);

}  // namespace act_program
