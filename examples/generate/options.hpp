// act-generate's command line: what can be asked, which questions don't fit together.
#pragma once

#include <act/runtime/cache_type.hpp>
#include <act/runtime/conversation.hpp>
#include <act/runtime/generate.hpp>

#include <string>
#include <utility>
#include <vector>

#include "programs/command_line.hpp"
#include "programs/flags.hpp"
#include "programs/program.hpp"

namespace act_program {

struct generate_options {
  common_options common;
  calibration_flags calibration;
  std::string prompt;
  std::string prompt_file;
  std::string tokens;
  std::string logits;
  std::string mt_bench;
  std::string answers;
  bool category_temperatures = false;
  bool chat = false;
  std::string chat_template;
  std::string system;
  act::runtime::generation_options generation;
  std::string cache = "all";
  std::string cache_type = "f32";
  [[nodiscard]] act::runtime::cache_type stored() const {
    return act::runtime::cache_type_named(cache_type).value_or(act::runtime::cache_type::f32);
  }
  /// What a conversation begins with: the system text, if one was given.
  [[nodiscard]] std::vector<act::runtime::chat_turn> opening() const;
  std::string cache_text;  ///< fits the maps of reference heads
  std::string heads;
  bool force = false;
  // What was given: an empty prompt is one, too.
  command_option prompt_given;
  command_option file_given;
  command_option tokens_given;
  command_option logits_given;
  command_option mt_bench_given;
  command_option answers_given;
  command_option temperature_given;
  std::vector<std::pair<std::string, command_option>> drawing_given;  ///< what is for draws alone
  command_option system_given;
};

void declare(command_line& line, generate_options& options);

/// Makes of each --stop what it spells: a shell hands \n over as it is written. Throws act::error
/// (invalid_option) for a backslash that begins nothing known.
void unescape_stops(generate_options& options);

/// Throws act::error (invalid_option) for options that can't be or don't fit together.
void check_usage(const generate_options& options);

}  // namespace act_program
