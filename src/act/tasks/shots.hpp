// Which samples are shown before the one that is asked: drawn from a training file, or the first of the same
// paragraph or subject. Positions only; prompts.hpp lays them out.
#pragma once

#include <act/tasks/sample.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace act::tasks {

/// Seed of few-shot run 0, 1, 2, ...: 0, 42, 84, ..., as in the authors' scripts.
[[nodiscard]] constexpr std::uint64_t shot_seed(std::size_t run) noexcept {
  return 42 * std::uint64_t{run};
}

/// k shots drawn once from n samples, the same for every asked sample, except that none is ever its own shot:
/// it gets the next one drawn instead.
class drawn_shots {
 public:
  /// Throws error (invalid_option) when k > n.
  drawn_shots(std::size_t n, std::size_t k, std::uint64_t seed);

  /// Positions in drawing order. `own`: the asked sample's position when it comes from the same file. Throws
  /// error (invalid_option) when no other sample is left to take its place.
  [[nodiscard]] std::vector<std::size_t> for_sample(std::optional<std::size_t> own = std::nullopt) const;

 private:
  std::vector<std::size_t> order_;
  std::size_t count_;
};

/// k shots, as many of each of the file's labels, or one more: which labels have one more is drawn, too, and
/// so is the order they are shown in. None is ever its own shot: it gets the next one of its label instead.
class balanced_shots {
 public:
  /// `labels`: of each sample. Throws error (invalid_option) when a label has too few samples.
  balanced_shots(std::span<const std::size_t> labels, std::size_t k, std::uint64_t seed);

  /// As drawn_shots::for_sample.
  [[nodiscard]] std::vector<std::size_t> for_sample(std::optional<std::size_t> own = std::nullopt) const;

 private:
  std::vector<std::size_t> order_;     // every sample, as drawn
  std::vector<std::size_t> label_of_;  // in that order
  std::vector<std::size_t> of_label_;  // how many of each label are shown
};

/// squad: the first k other questions of the asked one's paragraph, in file order; fewer where the paragraph
/// has fewer.
[[nodiscard]] std::vector<std::size_t> paragraph_shots(std::span<const sample> samples, std::size_t asked,
                                                       std::size_t k);

/// mmlu: the first k of the development samples with the asked one's subject. Throws error (invalid_input)
/// when there are fewer.
[[nodiscard]] std::vector<std::size_t> subject_shots(std::span<const sample> development, const sample& asked,
                                                     std::size_t k);

}  // namespace act::tasks
