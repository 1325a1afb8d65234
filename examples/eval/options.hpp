// act-eval's command line: what can be asked, and which questions don't fit together.
#pragma once

#include <act/runtime/cache_type.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

#include "programs/flags.hpp"
#include "programs/program.hpp"

namespace act_program {

/// The task that isn't one of samples: perplexity of a text.
inline constexpr const char* perplexity_task = "ppl";

struct eval_options {
  common_options common;
  calibration_flags calibration;
  scoring_flags scoring;
  std::string task;
  std::string data;
  std::int64_t limit = 0;
  std::uint64_t seed = 0;
  std::size_t shots = 0;
  std::string shot_data;
  std::size_t shot_seeds = 5;
  std::string prior = "none";
  std::size_t max_new_tokens = 32;
  std::size_t context = 0;  ///< 0: the model's
  std::size_t stride = 0;   ///< 0: half of the context
  std::string cache;        ///< a policy's words; empty: windows
  std::string cache_type = "f32";
  [[nodiscard]] act::runtime::cache_type stored() const {
    return act::runtime::cache_type_named(cache_type).value_or(act::runtime::cache_type::f32);
  }
  std::string cache_text;  ///< fits the maps of reference heads
  std::size_t block = 1000;
  std::size_t max_windows = 0;  ///< 0: all
  std::size_t show_prompts = 0;
  bool balanced_shots = false;
  std::string heads;
  std::string predictions;
  std::string exported;  ///< lm-eval:FOLDER
  bool include_search_samples = false;
  bool force = false;
  bool resume = false;
};

void declare(command_line& line, eval_options& options);

/// The folder of --export; empty: none. Throws act::error (invalid_option) for another form than lm-eval's.
[[nodiscard]] std::string export_folder(const eval_options& options);

/// Throws act::error (invalid_option) for an option that the task can't heed. Nothing given is passed over.
void check_usage(const command_line& line, const eval_options& options);

}  // namespace act_program
