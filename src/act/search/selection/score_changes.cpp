#include <act/head_set.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/search/trial_table.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace act::search {

namespace {

// Heads of which every sample's trial is known, ascending.
std::vector<std::size_t> complete_heads(const trial_table& trials) {
  std::vector<std::size_t> complete;
  for (std::size_t head = 0; head < trials.heads().size(); ++head) {
    bool known = true;
    for (std::size_t sample = 0; sample < trials.samples().size() && known; ++sample)
      known = trials.known(head, sample);
    if (known) complete.push_back(head);
  }
  std::sort(complete.begin(), complete.end(), [&](std::size_t a, std::size_t b) {
    if (trials.heads()[a] != trials.heads()[b]) return trials.heads()[a] < trials.heads()[b];
    return trials.strength(a) < trials.strength(b);
  });
  return complete;
}

std::size_t sources_in(const score_changes& of) {
  std::size_t most = 0;
  for (const table_sample& each : of.samples())
    most = std::max(most, each.source + 1);
  return most;
}

}  // namespace

score_changes::score_changes(const trial_table& trials)
    : searched_(std::set<layer_head>(trials.heads().begin(), trials.heads().end()).size()),
      samples_(trials.samples().begin(), trials.samples().end()) {
  std::size_t scores = 0;
  for (const table_sample& each : samples_) {
    first_.push_back(scores);
    scores += each.scores;
  }
  for (std::size_t sample = 0; sample < samples_.size(); ++sample) {
    const std::span<const double> row = trials.plain(sample);
    plain_.insert(plain_.end(), row.begin(), row.end());
  }
  for (const std::size_t head : complete_heads(trials)) {
    heads_.push_back(trials.heads()[head]);
    if (const std::optional<double> strength = trials.strength(head)) strengths_.push_back(*strength);
    for (std::size_t sample = 0; sample < samples_.size(); ++sample) {
      masses_.push_back(trials.initial_mass(head, sample));
      const std::span<const double> plain = trials.plain(sample),
                                    calibrated = trials.calibrated(head, sample);
      for (std::size_t answer = 0; answer < plain.size(); ++answer)
        changes_.push_back(calibrated[answer] - plain[answer]);
    }
  }
}

std::size_t score_changes::head_count() const noexcept {
  std::size_t count = 0;
  for (std::size_t head = 0; head < heads_.size(); ++head)
    count += head == 0 || heads_[head] != heads_[head - 1] ? 1 : 0;
  return count;
}

std::vector<double> score_changes::estimate(std::span<const std::size_t> set) const {
  std::vector<double> scores = plain_;
  for (const std::size_t head : set) {
    const std::span<const double> added = change(head);
    for (std::size_t i = 0; i < scores.size(); ++i)
      scores[i] += added[i];
  }
  return scores;
}

score_changes score_changes::centred(std::span<const std::size_t> over) const {
  score_changes made = *this;
  centre(made.plain_, over);
  for (std::size_t head = 0; head < heads_.size(); ++head)
    centre(std::span(made.changes_).subspan(head * plain_.size(), plain_.size()), over);
  return made;
}

score_changes score_changes::beside_centred(std::span<const std::size_t> over) const {
  const score_changes other = centred(over);
  score_changes made = *this;
  made.plain_.clear();
  made.changes_.clear();
  const auto add = [&](std::vector<double>& to, std::span<const double> raw,
                       std::span<const double> centred) {
    for (std::size_t sample = 0; sample < samples_.size(); ++sample) {
      for (const std::span<const double> scores : {raw, centred}) {
        const std::span<const double> one = row(scores, sample);
        to.insert(to.end(), one.begin(), one.end());
      }
    }
  };
  add(made.plain_, plain(), other.plain());
  for (std::size_t head = 0; head < heads_.size(); ++head)
    add(made.changes_, change(head), other.change(head));
  for (std::size_t sample = 0; sample < samples_.size(); ++sample) {
    made.first_[sample] *= 2;
    made.samples_[sample].scores *= 2;
  }
  return made;
}

void score_changes::centre(std::span<double> scores, std::span<const std::size_t> over) const {
  std::vector<std::vector<double>> sums(sources_in(*this)), counts(sums.size());
  for (const std::size_t sample : over) {
    const table_sample& each = samples_[sample];
    if (each.own_answers) continue;
    std::vector<double>&sum = sums[each.source], &count = counts[each.source];
    sum.resize(std::max(sum.size(), each.scores));
    count.resize(sum.size());
    for (std::size_t answer = 0; answer < each.scores; ++answer) {
      sum[answer] += scores[first_[sample] + answer];
      count[answer] += 1;
    }
  }
  for (std::size_t sample = 0; sample < samples_.size(); ++sample) {
    const table_sample& each = samples_[sample];
    if (each.own_answers) continue;
    const std::vector<double>&sum = sums[each.source], &count = counts[each.source];
    for (std::size_t answer = 0; answer < std::min(each.scores, sum.size()); ++answer)
      scores[first_[sample] + answer] -= sum[answer] / count[answer];
  }
}

std::vector<std::size_t> all_samples(const score_changes& of) {
  std::vector<std::size_t> all(of.samples().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

std::vector<double> balanced_weights(const score_changes& of, std::span<const std::size_t> over) {
  std::vector<double> samples_of(sources_in(of));
  for (const std::size_t sample : over)
    samples_of[of.samples()[sample].source] += 1;
  double sources = 0;
  for (const double each : samples_of)
    sources += each > 0 ? 1 : 0;
  std::vector<double> weights;
  for (const std::size_t sample : over)
    weights.push_back(1 / (sources * samples_of[of.samples()[sample].source]));
  return weights;
}

}  // namespace act::search
