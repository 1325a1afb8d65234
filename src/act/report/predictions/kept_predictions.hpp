// What an interrupted evaluation kept, read again so that the same one can go on from it: the lines of its
// predictions file, and of its JSON result what says which evaluation it was.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/score_samples.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace act::io {
class json_document;
}

namespace act::report {

/// A run of an evaluation, ready to be scored.
struct asked_run {
  std::optional<std::uint64_t> shot_seed = {};  ///< of a few-shot run
  std::span<const tasks::prepared_sample> samples;
};

/// Of the first runs the scores that `lines` (prediction_line's) have: of each a row for its first samples.
/// Each line must be of the sample that stands there, asked with the same tokens; `calibrated` says whether
/// it must have calibrated scores. Throws error (mismatch) where it isn't, naming the line, and
/// (invalid_input) for lines that prediction_line doesn't write.
[[nodiscard]] std::vector<tasks::sample_scores> kept_scores(const io::text_file& lines,
                                                            std::span<const asked_run> runs, bool calibrated);

/// Throws error (mismatch), naming the member, unless `result` (a JSON result) has each of `members` as
/// `wanted` has it, or neither has it.
void check_same_evaluation(const io::text_file& result, const io::json_document& wanted,
                           std::span<const std::string_view> members);

}  // namespace act::report
