// A table of trials as what selection computes with: of each sample its plain scores, and of each head (with
// each strength that it was tried with) what calibrating it adds to them. A set of heads is judged by the
// plain scores plus the sum of its changes.
#pragma once

#include <act/head_set.hpp>
#include <act/search/trial_table.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace act::search {

/// Scores of all samples lie one behind another: sample i's are [first(i), first(i) + scores) of each span.
/// Memory: 8 bytes a head, sample and answer.
class score_changes {
 public:
  /// Takes the heads that have been tried on every sample; what the others would add up to isn't known. In
  /// ascending order, of head, then strength, whatever the table's.
  explicit score_changes(const trial_table& trials);

  /// A head that was tried with several strengths is there as often.
  [[nodiscard]] std::span<const layer_head> heads() const noexcept { return heads_; }
  /// Of each of them; none where there is one for all.
  [[nodiscard]] std::optional<double> strength(std::size_t head) const noexcept {
    return strengths_.empty() ? std::nullopt : std::optional(strengths_[head]);
  }
  /// How many there are, each counted once.
  [[nodiscard]] std::size_t head_count() const noexcept;
  /// How many heads the search is of, those that weren't tried on every sample counted too.
  [[nodiscard]] std::size_t searched_heads() const noexcept { return searched_; }
  [[nodiscard]] std::span<const table_sample> samples() const noexcept { return samples_; }
  [[nodiscard]] std::size_t first(std::size_t sample) const noexcept { return first_[sample]; }

  [[nodiscard]] std::span<const double> plain() const noexcept { return plain_; }
  [[nodiscard]] std::span<const double> change(std::size_t head) const noexcept {
    return std::span(changes_).subspan(head * plain_.size(), plain_.size());
  }
  /// trial_table::initial_mass.
  [[nodiscard]] double initial_mass(std::size_t head, std::size_t sample) const noexcept {
    return masses_[head * samples_.size() + sample];
  }
  /// One sample's part of scores that lie like `plain()`.
  [[nodiscard]] std::span<const double> row(std::span<const double> scores,
                                            std::size_t sample) const noexcept {
    return scores.subspan(first_[sample], samples_[sample].scores);
  }

  /// plain() and the changes of `set` added up, in the set's order.
  [[nodiscard]] std::vector<double> estimate(std::span<const std::size_t> set) const;

  /// The same with each answer's mean over the samples `over` taken away, of the plain scores and of each
  /// head's changes, source by source: what is left doesn't know what a source's answers score on average, so
  /// no shift of the label prior shows in it. Samples that aren't in `over` lose the means of those that are.
  /// Where samples have answers of their own (table_sample::own_answers) there is nothing to average over:
  /// their scores stay, and so do those of a source that has no sample in `over`.
  [[nodiscard]] score_changes centred(std::span<const std::size_t> over) const;

  /// Each row twice, as it is and behind that as centred(over) has it: samples have twice the scores.
  [[nodiscard]] score_changes beside_centred(std::span<const std::size_t> over) const;

 private:
  void centre(std::span<double> scores, std::span<const std::size_t> over) const;

  std::size_t searched_ = 0;
  std::vector<layer_head> heads_;
  std::vector<double> strengths_;
  std::vector<double> masses_;  // [head][sample]
  std::vector<table_sample> samples_;
  std::vector<std::size_t> first_;
  std::vector<double> plain_;
  std::vector<double> changes_;  // [head][score]
};

/// 0, 1, ..., as many as there are samples.
[[nodiscard]] std::vector<std::size_t> all_samples(const score_changes& of);

/// How much each sample of `over` counts in a mean: sources weigh the same, however many samples they have,
/// and so do a source's samples. They add up to 1.
[[nodiscard]] std::vector<double> balanced_weights(const score_changes& of,
                                                   std::span<const std::size_t> over);

}  // namespace act::search
