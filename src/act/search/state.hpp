// What a head search has computed so far, in an SQLite file: a search that was killed goes on where it was.
//
// Written after each unit (one layer's trials for a few samples) in one transaction, so the file is whole at
// any moment. Scores are stored as they were computed, bit for bit: a resumed search ends with the same heads
// file.
#pragma once

#include <act/search/layer_trials.hpp>
#include <act/search/sample_chunk.hpp>
#include <act/search/sqlite.hpp>
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

  /// The chunk's plain scores, if they are there already. `samples` are the chunk's: stored scores that don't
  /// fit their answers are an `error` (invalid_input), as is anything else that a damaged file could say.
  [[nodiscard]] std::optional<std::vector<std::vector<double>>> plain(
      const sample_chunk& chunk, std::span<const tasks::prepared_sample> samples);
  void save_plain(const sample_chunk& chunk, const std::vector<std::vector<double>>& scores,
                  const search_work& work);

  /// One layer's trials of the chunk, if they are there already.
  [[nodiscard]] std::optional<layer_trials> trials(const sample_chunk& chunk, std::size_t layer,
                                                   std::size_t heads,
                                                   std::span<const tasks::prepared_sample> samples);
  void save_trials(const sample_chunk& chunk, std::size_t layer, std::size_t heads,
                   const layer_trials& trials);

  /// Work of everything stored.
  [[nodiscard]] search_work total_work();

 private:
  [[noreturn]] void damaged() const;

  // Another program's database must not get our tables.
  void refuse_foreign(const std::string& choose_another);

  // `count` finite numbers.
  [[nodiscard]] std::vector<double> numbers(std::span<const std::byte> bytes, std::size_t count) const;

  [[nodiscard]] std::optional<search_work> unit(const sample_chunk& chunk, std::int64_t layer);

  void save_unit(const sample_chunk& chunk, std::int64_t layer, const search_work& work);

  std::string path_;
  database data_;
};

}  // namespace act::search
