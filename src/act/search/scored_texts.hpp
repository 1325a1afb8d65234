// What of a sample a head search runs and what its score is made of: the sample's texts, the rows of each
// that count, and the way from these rows to a number for each answer.
//
// For trials.hpp. Words, and the greedy token, are compared at the last row of one text, the prompt. Options
// are texts of their own, the prompt with each option, scored by the rows that predict the option's tokens.
#pragma once

#include <act/runtime/log_probabilities.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace act::search {

/// One text of a sample: a sequence of its own, over all of which a head's sinks are found.
struct scored_sequence {
  std::size_t sample = 0;
  std::size_t answer = 0;  ///< the option it ends with; 0 for a prompt, which scores all answers
  std::span<const runtime::token_id> tokens;
  std::size_t first_scored = 0;              ///< rows [first_scored, end) count
  std::size_t end = 0;                       ///< rows from here on change nothing that counts
  std::span<const std::size_t> subset = {};  ///< positions that redistribution::subset gives to, or a span
};

/// Rows [first, end) of a sequence whose scores are wanted.
struct scored_part {
  std::size_t sequence = 0;
  std::size_t first = 0;  ///< first_scored or later
  std::size_t row = 0;    ///< where it lies in what the last layer delivered, if that is every row
};

/// The texts of some samples. The samples must outlive it; all are scored alike: by words, by options, or
/// greedily.
class scored_texts {
 public:
  explicit scored_texts(std::span<const tasks::prepared_sample> samples);

  [[nodiscard]] std::size_t samples() const noexcept { return samples_.size(); }
  [[nodiscard]] std::span<const scored_sequence> sequences() const noexcept { return sequences_; }
  [[nodiscard]] const scored_sequence& operator[](std::size_t sequence) const noexcept {
    return sequences_[sequence];
  }
  /// Sequences [first_of(s), first_of(s + 1)) are those of sample s.
  [[nodiscard]] std::size_t first_of(std::size_t sample) const noexcept { return first_of_[sample]; }

  [[nodiscard]] const tasks::prepared_sample& sample_of(std::size_t sequence) const noexcept {
    return samples_[sequences_[sequence].sample];
  }
  /// How many of its sample's scores a sequence makes: all of them, from the first on, or its `answer`'s.
  [[nodiscard]] std::size_t scores_of(std::size_t sequence) const noexcept {
    return last_rows_only() ? sample_of(sequence).score_count() : 1;
  }

  /// Whether each sequence is scored by its last row alone.
  [[nodiscard]] bool last_rows_only() const noexcept {
    return samples_.empty() || samples_.front().options.empty();
  }

  /// What each part's rows say: `last_position_scores`, or for an option the log-probability of each token
  /// that the rows predict. `hidden` is the last layer's output: with `last_rows_only` a row a part, else all
  /// rows. Throws `error` (invalid_input) where the model returns numbers that aren't finite.
  [[nodiscard]] std::vector<std::vector<double>> values(const runtime::model& model,
                                                        std::span<const scored_part> parts,
                                                        const runtime::matrix& hidden) const;

  /// Writes what one sequence's values (all its scored rows') mean for its sample's answers.
  void score(std::size_t sequence, std::span<const double> values, std::vector<double>& answers) const;

 private:
  std::span<const tasks::prepared_sample> samples_;
  std::vector<scored_sequence> sequences_;
  std::vector<std::size_t> first_of_;
};

}  // namespace act::search
