// act-search's command line, and the command that it suggests after a search of some layers: one of all of
// them.
#pragma once

#include <act/search/layer_range.hpp>
#include <act/search/selection/rule.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "programs/flags.hpp"
#include "programs/program.hpp"

namespace act_program {

struct search_options {
  common_options common;
  calibration_flags calibration;
  scoring_flags scoring;
  std::vector<std::string> tasks;
  std::int64_t samples = 100;
  std::uint64_t seed = 0;
  std::string layers{act::search::default_layer_range};
  std::string strategy = "exact";
  double budget = 0.33;
  double risk = 0.05;
  std::string select{act::search::default_selection(act::search::search_objective::mixed)};
  std::string objective = "mixed";
  std::string memory;
  std::string shard;
  std::vector<std::string> merge;
  bool dry_run = false;
  std::string state;
  std::vector<std::string> reuse;
  bool verify = false;
  std::int64_t verify_best = 0;
  std::string tune_beta;
  std::string out;

  /// Whether --select is unibias, which is no selection_rule: it makes no trials (search/unibias.hpp).
  [[nodiscard]] bool by_unibias() const { return select == "unibias"; }
  /// What --select is unless it is given, which the other options have a say in.
  void choose_default_rule();
  /// --select and --objective. Throws act::error (invalid_option).
  [[nodiscard]] act::search::selection_rule rule() const;
};

void declare(command_line& line, search_options& options);

/// Which of how many.
struct shard_number {
  std::size_t number = 1;  ///< from 1
  std::size_t count = 1;
};

/// Reads --shard, "2/8"; the whole search where it isn't given. Throws act::error (invalid_option), also
/// where it doesn't go with the other options.
[[nodiscard]] shard_number parse_shard(const search_options& options);

/// How the search is recorded, by what it depends on: empty for an exact one, else "ranked for top:15 by
/// likelihood within 0.33" or "racing for top:15 by likelihood at 0.05". Throws act::error (invalid_option)
/// for a budget or a risk outside its range.
[[nodiscard]] std::string strategy_record(const search_options& options);

/// Searches the default range, with everything else as it was given.
[[nodiscard]] std::string full_range_command(const command_line& line, const search_options& options);

}  // namespace act_program
