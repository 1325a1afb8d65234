#include <act/tasks/stored/resumed_scores.hpp>
#include <act/tasks/stored/score_identity.hpp>
#include <act/tasks/stored/score_state.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace act::tasks {

resumed_scores::resumed_scores(std::span<const prepared_sample> samples,
                               std::vector<runtime::model_calibration> calibrations, score_state* state)
    : samples_(samples), calibrations_(std::move(calibrations)), state_(state) {
  scores_.with_other = !samples_.empty() && samples_.front().greedy();
  scores_.plain.resize(samples_.size());
  scores_.calibrated.resize(calibrations_.size());
  passes_.push_back(pass_identity({}));
  for (std::size_t i = 0; i < calibrations_.size(); ++i) {
    passes_.push_back(pass_identity(calibrations_[i]));
    if (!calibrations_[i].heads.empty()) scores_.calibrated[i].resize(samples_.size());
  }
  const bool any_part = std::any_of(calibrations_.begin(), calibrations_.end(), needs_part);
  for (std::size_t first = 0; first < samples_.size(); first += batches_.back().size) {
    batch& next = batches_.emplace_back();
    next.first = first;
    next.size = first_batch(samples_.subspan(first));
    if (state_ != nullptr) {
      const std::span<const prepared_sample> together = samples_.subspan(first, next.size);
      next.whole = sample_identities(together, false);
      if (any_part) next.with_part = sample_identities(together, true);
    }
    look_up(next);
  }
}

statistics::score_table& resumed_scores::table(std::size_t pass) noexcept {
  return pass == 0 ? scores_.plain : scores_.calibrated[pass - 1];
}

const std::vector<std::string>& resumed_scores::identities(const batch& of, std::size_t pass) const noexcept {
  return pass > 0 && needs_part(calibrations_[pass - 1]) ? of.with_part : of.whole;
}

void resumed_scores::look_up(batch& of) {
  for (std::size_t pass = 0; pass < passes_.size(); ++pass) {
    if (table(pass).empty()) continue;  // no head is calibrated
    bool whole = state_ != nullptr;
    for (std::size_t i = 0; state_ != nullptr && i < of.size; ++i) {
      std::optional<std::vector<double>> found =
          state_->find(passes_[pass], identities(of, pass)[i], samples_[of.first + i].score_count());
      whole = whole && found;
      if (found) table(pass)[of.first + i] = std::move(*found);
    }
    count_ += of.size;
    if (whole) {
      known_ += of.size;
    } else {
      of.lacking.push_back(pass);
    }
  }
}

void resumed_scores::run(const runtime::model& model, const std::function<void(std::size_t)>& on_scores) {
  for (batch& each : batches_) {
    if (!each.lacking.empty()) run(model, each, on_scores);
  }
}

void resumed_scores::run(const runtime::model& model, batch& of,
                         const std::function<void(std::size_t)>& on_scores) {
  std::vector<runtime::model_calibration> calibrations;
  std::vector<std::size_t> number_of;  // of each calibration its pass
  for (const std::size_t pass : of.lacking) {
    if (pass == 0) continue;
    number_of.push_back(pass);
    calibrations.push_back(calibrations_[pass - 1]);
  }
  const bool lacks_plain = of.lacking.front() == 0;  // it runs in any case: calibrated passes begin in it
  score_batch(model, samples_.subspan(of.first, of.size), calibrations,
              [&](std::span<const std::size_t> numbers, const statistics::score_table& scores) {
                std::vector<std::size_t> passes;
                for (const std::size_t number : numbers)
                  passes.push_back(number_of[number]);
                if (numbers.empty()) passes.push_back(0);
                take(of, passes, scores);
                if (on_scores) on_scores(numbers.empty() && !lacks_plain ? 0 : passes.size() * of.size);
              });
  of.lacking.clear();
}

void resumed_scores::take(const batch& of, std::span<const std::size_t> passes,
                          const statistics::score_table& scores) {
  std::vector<score_state::row> rows;
  for (const std::size_t pass : passes) {
    for (std::size_t i = 0; i < of.size; ++i) {
      std::vector<double>& known = table(pass)[of.first + i];
      if (!known.empty() && known != scores[i]) state_->other_scores();
      known = scores[i];
      if (state_ != nullptr)
        rows.push_back({.pass = passes_[pass], .sample = identities(of, pass)[i], .scores = known});
    }
  }
  if (state_ != nullptr) state_->save(rows);
}

}  // namespace act::tasks
