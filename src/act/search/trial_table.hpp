// Everything that the trials of a search say: of each sample the plain scores, and of each head the scores
// with that head alone calibrated, once for each strength that it was tried with. What heads are selected
// from, without another forward pass.
#pragma once

#include <act/head_set.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace act::search {

/// What a table knows of a sample apart from its scores.
struct table_sample {
  std::size_t label = 0;   ///< the right answer
  std::size_t scores = 0;  ///< how many numbers its answers have
  std::size_t source = 0;  ///< which of the search's files it comes from
  bool own_answers =
      false;  ///< its answers are its own texts: the k-th has nothing to do with another sample's
};

/// A table of heads x samples, filled trial by trial. A head that is tried with several strengths has a place
/// for each. Memory: 8 bytes a head, strength, sample and answer.
class trial_table {
 public:
  trial_table() = default;
  /// `strengths`: one for each of `heads`, or none where there is one for all.
  trial_table(std::vector<layer_head> heads, std::vector<table_sample> samples,
              std::vector<double> strengths = {});

  [[nodiscard]] std::span<const layer_head> heads() const noexcept { return heads_; }
  [[nodiscard]] std::span<const double> strengths() const noexcept { return strengths_; }
  /// Of a place; none where there is one for all.
  [[nodiscard]] std::optional<double> strength(std::size_t head) const noexcept {
    return strengths_.empty() ? std::nullopt : std::optional(strengths_[head]);
  }
  [[nodiscard]] std::span<const table_sample> samples() const noexcept { return samples_; }

  /// Scores as score_samples.hpp has them: logits of words (greedy: and of the best other token), or
  /// log-likelihoods a byte of options. All 0 before they are set.
  [[nodiscard]] std::span<const double> plain(std::size_t sample) const noexcept {
    return row(plain_, 0, sample);
  }
  [[nodiscard]] std::span<const double> calibrated(std::size_t head, std::size_t sample) const noexcept {
    return row(calibrated_, head, sample);
  }
  /// Whether the trial has been run.
  [[nodiscard]] bool known(std::size_t head, std::size_t sample) const noexcept {
    return trials_[head * samples_.size() + sample] != trial::missing;
  }
  /// Whether calibrating the head changes anything in the sample; false where that isn't known.
  [[nodiscard]] bool has_sinks(std::size_t head, std::size_t sample) const noexcept {
    return trials_[head * samples_.size() + sample] == trial::with_sinks;
  }
  /// What the head gives the initial token in the plain pass (layer_trials::initial_mass); 0 where the trial
  /// hasn't been run.
  [[nodiscard]] double initial_mass(std::size_t head, std::size_t sample) const noexcept {
    return masses_[head * samples_.size() + sample];
  }

  /// Whether a head's trials are estimates (take_estimates).
  [[nodiscard]] bool estimated(std::size_t head) const noexcept { return estimated_[head] != 0; }

  /// Precondition: as many scores as the sample's answers have.
  void set_plain(std::size_t sample, std::span<const double> scores);
  void set_trial(std::size_t head, std::size_t sample, std::span<const double> scores, bool has_sinks,
                 double initial_mass = 0);
  /// All of a head's trials become those of the same place in `estimates`, a table of the same heads and
  /// samples in which they are known.
  void take_estimates(std::size_t head, const trial_table& estimates);

 private:
  enum class trial : std::uint8_t { missing, without_sinks, with_sinks };

  [[nodiscard]] std::size_t scores_of_a_head() const noexcept { return first_.empty() ? 0 : first_.back(); }
  [[nodiscard]] std::span<const double> row(const std::vector<double>& of, std::size_t head,
                                            std::size_t sample) const noexcept {
    return std::span(of).subspan(head * scores_of_a_head() + first_[sample], samples_[sample].scores);
  }

  std::vector<layer_head> heads_;
  std::vector<double> strengths_;
  std::vector<table_sample> samples_;
  std::vector<std::size_t> first_;  // scores of sample s are [first_[s], first_[s + 1]) of a head's
  std::vector<double> plain_;
  std::vector<double> calibrated_;
  std::vector<trial> trials_;
  std::vector<double> masses_;
  std::vector<std::uint8_t> estimated_;  // of each head
};

}  // namespace act::search
