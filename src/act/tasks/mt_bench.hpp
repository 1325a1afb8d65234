// MT-Bench: reading its two-turn questions, and writing answers in the line format that FastChat's judge
// reads. The judging is elsewhere.
#pragma once

#include <act/io/text_file.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace act::tasks {

struct mt_bench_question {
  std::uint64_t id = 0;
  std::string category;
  std::vector<std::string> turns;  ///< at least one, usually two
};

/// Throws error (invalid_input) for a line that isn't {"question_id", "category", "turns": [...]}, an id that
/// appears twice, and a file without questions.
[[nodiscard]] std::vector<mt_bench_question> read_mt_bench(const io::text_file& file);

/// One line of an answer file, without its newline. `answer_id` must be unique among all answers,
/// `seconds_since_1970` is when it was given; bytes of an answer that aren't UTF-8 become U+FFFD.
[[nodiscard]] std::string mt_bench_answer_line(const mt_bench_question& asked,
                                               std::span<const std::string> answers,
                                               const std::string& model_id, const std::string& answer_id,
                                               double seconds_since_1970);

}  // namespace act::tasks
