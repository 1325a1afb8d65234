// What a search takes, before it is started: work and memory by the model's sizes, and by what a few samples
// say of its heads' first sinks.
#pragma once

#include <act/runtime/model.hpp>
#include <act/search/plan.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace act::search {

/// Multiply-adds of one token in one layer: all products with weights, and attention to `keys` keys.
[[nodiscard]] double multiply_adds_of_a_row(const runtime::model_config& config, double keys);

/// Bytes that a search keeps at once. What the allocator and the libraries need comes on top.
struct search_memory {
  std::uint64_t weights = 0;    ///< as they are stored: pages of the mapped file that products read
  std::uint64_t table = 0;      ///< every trial's scores
  std::uint64_t plain = 0;      ///< what a chunk's plain pass leaves for its trials
  std::uint64_t batch = 0;      ///< activations of the rows that are stacked
  std::uint64_t gradients = 0;  ///< what going backwards through a chunk takes, where trials are estimated

  [[nodiscard]] std::uint64_t sum() const noexcept { return weights + table + plain + batch + gradients; }
};

[[nodiscard]] search_memory memory_of(const runtime::model& model, const search_plan& plan);

/// Lowers `plan.tokens_per_chunk` until the search keeps no more than `bytes`. Throws `error`
/// (invalid_option) whose where() is `asked_by` when one sample alone takes more, with what it takes.
void fit_memory(search_plan& plan, const runtime::model& model, std::uint64_t bytes,
                const char* asked_by = "memory");

/// Reads "512M", "4G", "1.5T" or a number of bytes; powers of 1024. Throws `error` (invalid_option) whose
/// where() is `asked_by`.
[[nodiscard]] std::uint64_t parse_bytes(std::string_view text, const char* asked_by = "memory");

/// An exact search's work, judged by a part of its samples.
struct expected_work {
  std::size_t trials = 0;
  double with_sinks = 0;      ///< of the trials, those that have to be run
  double plain_rows = 0;      ///< tokens x layers of the plain passes
  double trial_rows = 0;      ///< of the trials
  double estimate_rows = 0;   ///< of estimates of all of them, where the plan has any
  double multiply_adds = 0;   ///< of both
  double whole_rows = 0;      ///< what a whole pass for each trial would take
  std::size_t looked_at = 0;  ///< samples that the judgement is made from

  // Measured on these samples: trials of one layer, and, where the plan has estimates, their first layers. A
  // row that goes backwards doesn't take what one that a trial runs does.
  double seconds = 0;
  double rows_per_second = 0;
  double estimate_seconds = 0;  ///< expected of estimates of all trials

  [[nodiscard]] double rows() const noexcept { return plain_rows + trial_rows; }
  [[nodiscard]] double seconds_expected() const noexcept { return rows() / rows_per_second; }
  /// Of a ranked search, which runs trials until `budget` times all their rows are used up, estimates
  /// counted.
  [[nodiscard]] double ranked_seconds_expected(double budget) const noexcept {
    return (plain_rows + std::max(0.0, budget * trial_rows - estimate_rows)) / rows_per_second +
           estimate_seconds;
  }
};

/// Runs a plain pass of the first chunk's samples and a few of their trials, and estimates some. Rows aren't
/// guessed but counted: the plain pass says where every head's first sink is. `on_step` is called after each
/// of these and between batches, and may throw to interrupt.
[[nodiscard]] expected_work expect_work(const runtime::model& model, const search_plan& plan,
                                        const std::function<void()>& on_step = {});

}  // namespace act::search
