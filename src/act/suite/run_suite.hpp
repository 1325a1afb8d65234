// Runs a suite: every model on every task with every number of shots, plain and in every way of calibrating,
// into a store. What is there already isn't run again.
#pragma once

#include <act/search/search_run.hpp>
#include <act/suite/store.hpp>
#include <act/suite/suite.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace act::suite {

/// What a suite's progress is told to; all may be empty, and any may throw to interrupt: what was scored
/// stays in the store.
struct suite_listener {
  std::function<void(const std::string& name, std::size_t samples, std::size_t known)> cell_begins = {};
  std::function<void(std::size_t samples)> advanced = {};
  std::function<void()> token_made = {};  ///< of a generated answer
  std::function<void()> cell_ends = {};
  std::function<void(const std::string& name)> search_begins = {};
  search::search_progress searching = {};
  std::function<void(const std::string& remark)> remark = {};  ///< a line: what a model's files say
};

/// A cell and what it would still take.
struct planned_cell {
  std::string model, task;
  std::size_t shots = 0;
  std::uint64_t shot_seed = 0;
  std::size_t samples = 0;             ///< that are scored
  std::size_t labelled = 0;            ///< labelled samples that are scored, too, for maps
  std::size_t skipped = 0;             ///< longer than the model's context
  std::size_t known = 0;               ///< passes' rows that the store has: samples times ways
  std::size_t wanted = 0;              ///< of so many
  std::vector<std::string> ways;       ///< "plain" and the heads' names
  std::vector<std::string> to_search;  ///< of these, whose heads are searched first
};

/// What run_suite would do, without a pass. Throws as run_suite.
[[nodiscard]] std::vector<planned_cell> plan_suite(const suite& of, store& results);

/// Which program runs a suite, and when; kept with each run.
struct suite_maker {
  std::string program;  ///< JSON
  std::string date;
};

/// Throws error for files that can't be read, heads of other
/// models, prompts that don't fit. Samples run in batches of about 1,024 tokens, each of which is stored in
/// one transaction; a search keeps its state in a folder beside the store. Scores don't depend on how often
/// it was interrupted.
void run_suite(const suite& of, store& results, const suite_maker& made, const suite_listener& listener);

}  // namespace act::suite
