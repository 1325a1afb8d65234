// What another search's state knows of a search's samples: a search that grows, or one of fewer samples or
// other layers, takes over the trials that have been run.
#pragma once

#include <act/search/plan.hpp>
#include <act/search/trial_block.hpp>
#include <act/sqlite/database.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace act::search {

class stored_trials {
 public:
  /// Opens the state of a search of the same model with the same calibration; its layers, samples and
  /// strengths may be others, but it must have one of the plan's strengths. A sample is known by all that its
  /// scores depend on: its tokens, its scored words or options, and the positions that receive. Throws
  /// `error` (io) where there is no such file, (mismatch) for another model's or calibration's, with the
  /// first line that differs, (invalid_input) for another program's file.
  stored_trials(const std::string& path, const search_plan& plan);

  /// Whether the other search has sample `i` of the plan, too.
  [[nodiscard]] bool knows(std::size_t sample) const noexcept { return place_of_[sample] >= 0; }

  /// What the block gives, if it is there for each of its samples and heads.
  [[nodiscard]] std::optional<block_result> find(const trial_block& block);

 private:
  [[noreturn]] void damaged() const;
  [[nodiscard]] std::vector<double> scores_in(const sqlite::statement& row, std::size_t sample) const;

  std::string path_;
  sqlite::database data_;
  std::vector<std::size_t> score_counts_;  // of each of the plan's samples
  std::vector<std::int64_t> place_of_;     // of each of the plan's samples in the other search; -1: not there
  std::vector<std::int64_t> strength_of_;  // of each of the plan's strengths there; -1: not there
};

}  // namespace act::search
