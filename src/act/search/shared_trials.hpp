// What trials of one head run: the rows of each text that change, those that several texts begin with once.
//
// The texts of a task begin with the same instruction, and the options of a question with the same question.
// Behind a head's first sink a row of a trial depends on the tokens up to its own and on what the calibrated
// head says in the rows up to its own; where both are the same in two texts, their rows are the same, in this
// layer and in all above. So one text runs them, and the others attend to its keys and values.
#pragma once

#include <act/runtime/layers/attention.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace act::search {

/// What a trial of `head` changes in one text: rows [first_row, end) of it. The first `shared` of them are
/// those of an earlier part of the same head.
struct trial_part {
  std::size_t sequence = 0, head = 0;
  std::size_t first_row = 0, end = 0;
  std::size_t shared = 0;
  std::size_t shared_with = 0;  ///< number of that part

  /// Rows [own_row(), end) are run.
  [[nodiscard]] std::size_t own_row() const noexcept { return first_row + shared; }
  [[nodiscard]] std::size_t rows() const noexcept { return end - own_row(); }
};

/// Has each part share the most that it can with one of the parts before it (of these with the first).
/// `alike(a, b)`: how many of part b's rows are the same as part a's, from their first ones on; so many, and
/// fewer, may be shared.
void share_rows(std::span<trial_part> parts,
                const std::function<std::size_t(const trial_part& a, const trial_part& b)>& alike);

/// The rows of some parts one under another, as attention finds them. `shared_with` counts among these parts.
class stacked_trials {
 public:
  explicit stacked_trials(std::span<const trial_part> parts);
  stacked_trials(const stacked_trials&) = delete;  // sequences point to their key rows
  stacked_trials& operator=(const stacked_trials&) = delete;

  /// One of each part: its own rows are queries, its keys those of rows [first_row, end). They have no past.
  [[nodiscard]] const std::vector<runtime::attention_sequence>& sequences() const noexcept {
    return sequences_;
  }
  /// Of each row, in its text.
  [[nodiscard]] const std::vector<std::uint32_t>& positions() const noexcept { return positions_; }

 private:
  std::vector<runtime::attention_sequence> sequences_;
  std::vector<std::uint32_t> positions_;
  std::vector<std::vector<std::uint32_t>> key_rows_;  // of each part, where it shares some
};

}  // namespace act::search
