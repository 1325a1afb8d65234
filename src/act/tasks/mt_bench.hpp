// MT-Bench: reading its two-turn questions, and writing answers in the line format that FastChat's judge
// reads. The judging is elsewhere.
#pragma once

#include <act/io/text_file.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
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

/// What stands for the answer to a turn that the model can't be asked, as in FastChat's gen_model_answer: the
/// judge sees that there is none, and the other questions go on.
inline constexpr std::string_view mt_bench_no_answer = "ERROR";

/// The sampling temperature that FastChat asks a question of that category with (its llm_judge/common.py):
/// 0.7 for writing and roleplay, 0.1 for stem and humanities, 0 for extraction, math, coding and reasoning,
/// 0.7 for any other.
[[nodiscard]] double mt_bench_temperature(std::string_view category) noexcept;

/// The model's name that answers carry: the folder's or file's, without `.gguf` and without slashes behind it
/// ("vicuna-7b-v1.5" of "models/vicuna-7b-v1.5/").
[[nodiscard]] std::string mt_bench_model_id(const std::string& model);

/// One line of an answer file, without its newline. `answer_id` must be unique among all answers,
/// `seconds_since_1970` is when it was given; bytes of an answer that aren't UTF-8 become U+FFFD.
[[nodiscard]] std::string mt_bench_answer_line(const mt_bench_question& asked,
                                               std::span<const std::string> answers,
                                               const std::string& model_id, const std::string& answer_id,
                                               double seconds_since_1970);

/// An answer that is there: a line of an answer file.
struct mt_bench_answer {
  std::uint64_t question = 0;
  std::string answer_id;
  std::vector<std::string> turns;
  std::string line;  ///< as it is written, without its newline
};

/// Throws error (invalid_input) for a line that isn't mt_bench_answer_line's, and a question that is answered
/// twice.
[[nodiscard]] std::vector<mt_bench_answer> read_mt_bench_answers(const io::text_file& file);

}  // namespace act::tasks
