// Prompts that begin alike, packed with their common beginning once.
//
// A row of a causal model depends on the tokens up to its own alone, so what prompts have in common, an
// instruction, few-shot examples, a question before its options, is the same rows in each of them as long as
// nothing is calibrated: a sink is found from all rows of a prompt. forward.hpp and log_probabilities.hpp run
// plain layers on these rows, and calibrated ones on whole prompts.
#pragma once

#include <act/runtime/forward.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/matrix.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace act::runtime {

/// What a prompt has in common with an earlier one.
struct shared_beginning {
  std::size_t prompt = 0;  ///< the earlier one, which has all its rows
  std::size_t tokens = 0;  ///< how many of the first ones; fewer than either prompt has; 0: none
};

/// The beginning that all prompts have in common, as each one's: the first has it. As much of it as leaves
/// every bit of a plain pass as it would be: more than six rows of every prompt stay its own.
[[nodiscard]] std::vector<shared_beginning> common_beginning(const packed_prompts& prompts);

class shared_prompts {
 public:
  /// `of`: for each of the prompts what it shares.
  shared_prompts(const packed_prompts& whole, std::span<const shared_beginning> of);

  /// The prompts without what they share. Their sequences lack the rows before: sequences() has them.
  [[nodiscard]] const packed_prompts& packed() const noexcept { return packed_; }
  /// The row here of each row of the whole prompts.
  [[nodiscard]] std::span<const std::uint32_t> row_of() const noexcept { return row_of_; }
  /// The sequences, which attend to what they share where it lies: in `key_value`, [rows, 2 kv_width], keys
  /// before values, as layer_buffers has it. Valid as long as it stays in its place.
  [[nodiscard]] std::vector<attention_sequence> sequences(const matrix& key_value) const;

 private:
  struct past_rows {
    std::size_t first_row = 0, count = 0;
  };

  packed_prompts packed_;
  std::vector<std::uint32_t> row_of_;
  std::vector<past_rows> past_;
};

}  // namespace act::runtime
