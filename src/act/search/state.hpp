// What a head search has computed so far, in an SQLite file: a search that was killed goes on where it was.
//
// Written after each block (one layer's trials for a few samples) in one transaction, so the file is whole at
// any moment. Scores are stored as they were computed, bit for bit: a resumed search ends with the same heads
// file. One search writes it at a time: of two that were started on it, which would run the same trials, one
// goes on.
#pragma once

#include <act/head_set.hpp>
#include <act/search/layer_trials.hpp>
#include <act/search/stored_trials.hpp>
#include <act/search/trial_block.hpp>
#include <act/sqlite/database.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::search {

class search_state {
 public:
  /// Opens or creates the state of one search. `identity` says which search it is (model, options, samples,
  /// range: one line each); a file that belongs to another one is an `error` (mismatch) that names the first
  /// line that differs, and ends "choose another STATE file" with `called` for STATE.
  search_state(const std::string& path, const std::string& identity, std::string_view called = "state");

  /// What the block gave, if it is there already. `samples` are its chunk's: stored scores that don't fit
  /// their answers, or aren't those of the block's heads, are an `error` (invalid_input), as is anything else
  /// that a damaged file could say.
  [[nodiscard]] std::optional<block_result> load(const trial_block& block,
                                                 std::span<const tasks::prepared_sample> samples);
  /// Stores what a block gave. Throws `error` (io) and stores nothing where another process has written the
  /// file since it was opened here: of several searches on one file, the first to store goes on.
  void save(const trial_block& block, const block_result& result);

  /// Whole passes' scores of every sample with a set of heads calibrated, if they are there: what save_joint
  /// was given. `heads` names the set (heads_name). Throws as `load`.
  [[nodiscard]] std::optional<std::vector<std::vector<double>>> load_joint(
      const std::string& heads, std::span<const tasks::prepared_sample> samples);
  /// Throws as `save`.
  void save_joint(const std::string& heads, std::span<const std::vector<double>> scores);

  /// What isn't there is also looked for in `other`, and stored from there.
  void also_from(stored_trials other);

  /// Work of everything stored.
  [[nodiscard]] search_work total_work();

 private:
  [[noreturn]] void damaged() const;

  void create(const std::string& identity);

  // SQLite's number that is another one when another connection has written the file.
  [[nodiscard]] std::int64_t data_version();
  // In a transaction, so that nobody writes between this and what is written.
  void check_sole_writer();

  [[nodiscard]] std::optional<block_result> from_others(const trial_block& block);

  // `count` finite numbers.
  [[nodiscard]] std::vector<double> numbers(std::span<const std::byte> bytes, std::size_t count) const;

  [[nodiscard]] std::optional<search_work> unit(const trial_block& block);

  void save_unit(const trial_block& block, const search_work& work);

  std::string path_;
  sqlite::database data_;
  std::int64_t version_ = 0;  // data_version() when it was opened
  std::vector<stored_trials> others_;
};

/// What a set of heads goes by in a state: "9.3 10.2", or with strengths "9.3@0.4 10.2@0.7".
[[nodiscard]] std::string heads_name(const head_set& heads, std::span<const double> strengths);

}  // namespace act::search
