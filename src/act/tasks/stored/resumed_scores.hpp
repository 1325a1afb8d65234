// Samples' scores in a plain pass and in several calibrated ones, of which a state keeps what is there.
#pragma once

#include <act/runtime/model_calibration.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/score_samples.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace act::tasks {

class score_state;

/// What score_with_each says, begun in one process and ended in another. Batches are those of a run that
/// wasn't interrupted, and each runs for the passes that it lacks: results are the same to the bit.
class resumed_scores {
 public:
  /// Looks up what is known. `samples` and `state` stay where they are; without a state nothing is known and
  /// nothing kept. Throws `error` as score_state::find does. Precondition: score_with_each's.
  resumed_scores(std::span<const prepared_sample> samples,
                 std::vector<runtime::model_calibration> calibrations, score_state* state);

  /// Scores, of a sample in a pass each, that weren't and won't be run, and all that there are.
  [[nodiscard]] std::size_t known() const noexcept { return known_; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

  /// Runs the rest, batch by batch, pass by pass. `on_scores` is called with a number of scores when the
  /// state has them, and may throw to interrupt. Throws `error` as score_with_each does, and (mismatch) where
  /// a score that was known comes out otherwise, which says that the state is another program's.
  void run(const runtime::model& model, const std::function<void(std::size_t)>& on_scores = {});

  /// Precondition: `run` has returned.
  [[nodiscard]] const scores_of_each& scores() const noexcept { return scores_; }

 private:
  // Samples that run together, and by number the passes that they lack: 0 is plain, then the calibrations.
  struct batch {
    std::size_t first, size;
    std::vector<std::string> whole, with_part;  // the samples' identities
    std::vector<std::size_t> lacking;
  };

  [[nodiscard]] statistics::score_table& table(std::size_t pass) noexcept;
  [[nodiscard]] const std::vector<std::string>& identities(const batch& of, std::size_t pass) const noexcept;
  void look_up(batch& of);
  void run(const runtime::model& model, batch& of, const std::function<void(std::size_t)>& on_scores);
  void take(const batch& of, std::span<const std::size_t> passes, const statistics::score_table& scores);

  std::span<const prepared_sample> samples_;
  std::vector<runtime::model_calibration> calibrations_;
  score_state* state_;
  std::vector<std::string> passes_;  // identities
  std::vector<batch> batches_;
  scores_of_each scores_;  // a row that isn't known is empty
  std::size_t known_ = 0, count_ = 0;
};

}  // namespace act::tasks
