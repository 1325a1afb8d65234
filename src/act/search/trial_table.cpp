#include <act/head_set.hpp>
#include <act/search/trial_table.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

trial_table::trial_table(std::vector<layer_head> heads, std::vector<table_sample> samples,
                         std::vector<double> strengths)
    : heads_(std::move(heads)), strengths_(std::move(strengths)), samples_(std::move(samples)), first_{0} {
  for (const table_sample& each : samples_)
    first_.push_back(first_.back() + each.scores);
  plain_.resize(scores_of_a_head());
  calibrated_.resize(heads_.size() * scores_of_a_head());
  trials_.resize(heads_.size() * samples_.size(), trial::missing);
  masses_.resize(trials_.size());
  estimated_.resize(heads_.size());
}

void trial_table::set_plain(std::size_t sample, std::span<const double> scores) {
  std::copy(scores.begin(), scores.end(), plain_.begin() + static_cast<std::ptrdiff_t>(first_[sample]));
}

void trial_table::set_trial(std::size_t head, std::size_t sample, std::span<const double> scores,
                            bool has_sinks, double initial_mass) {
  const std::size_t to = head * scores_of_a_head() + first_[sample];
  std::copy(scores.begin(), scores.end(), calibrated_.begin() + static_cast<std::ptrdiff_t>(to));
  trials_[head * samples_.size() + sample] = has_sinks ? trial::with_sinks : trial::without_sinks;
  masses_[head * samples_.size() + sample] = initial_mass;
}

void trial_table::take_estimates(std::size_t head, const trial_table& estimates) {
  for (std::size_t sample = 0; sample < samples_.size(); ++sample) {
    set_trial(head, sample, estimates.calibrated(head, sample), estimates.has_sinks(head, sample),
              estimates.initial_mass(head, sample));
  }
  estimated_[head] = 1;
}

}  // namespace act::search
