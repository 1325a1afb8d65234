#include <act/error.hpp>
#include <act/io/json_document.hpp>
#include <act/io/text_file.hpp>
#include <act/tasks/mt_bench.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/lines.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace act::tasks {

std::vector<mt_bench_question> read_mt_bench(const io::text_file& file) {
  std::vector<mt_bench_question> questions;
  std::set<std::uint64_t> seen;
  for_each_json_line(file, [&](const json_record& record) {
    mt_bench_question& read = questions.emplace_back();
    const std::optional<std::uint64_t> id = record.at("question_id").whole_number();
    if (!id) {
      record.refuse("'question_id' must be a whole number");
    }
    read.id = *id;
    if (!seen.insert(read.id).second) {
      record.refuse("question " + std::to_string(read.id) + " appears twice; remove one");
    }
    read.category = record.text("category");
    for (const json_record& turn : record.items("turns")) {
      read.turns.push_back(turn.string().value_or(""));
      if (read.turns.back().empty()) {
        record.refuse("'turns' must hold texts only");
      }
    }
    if (read.turns.empty()) {
      record.refuse("'turns' is empty; there is nothing to ask");
    }
  });
  if (questions.empty()) {
    throw error(error_code::invalid_input, file.name, "holds no questions; is it MT-Bench's question.jsonl?");
  }
  return questions;
}

std::vector<mt_bench_answer> read_mt_bench_answers(const io::text_file& file) {
  std::vector<mt_bench_answer> answers;
  std::vector<std::string> lines;
  for_each_line(file, text_encoding::utf8,
                [&](std::string_view line, std::size_t) { lines.emplace_back(line); });
  std::set<std::uint64_t> seen;
  for_each_json_line(file, [&](const json_record& record) {
    mt_bench_answer& read = answers.emplace_back();
    const std::optional<std::uint64_t> id = record.at("question_id").whole_number();
    if (!id) record.refuse("'question_id' must be a whole number");
    read.question = *id;
    if (!seen.insert(read.question).second)
      record.refuse("question " + std::to_string(read.question) + " is answered twice; remove one");
    read.answer_id = record.text("answer_id");
    const std::vector<json_record> choices = record.items("choices");
    if (choices.size() != 1) record.refuse("'choices' must hold one");
    for (const json_record& turn : choices.front().items("turns"))
      read.turns.push_back(turn.string().value_or(""));
    read.line = lines[answers.size() - 1];
  });
  return answers;
}

double mt_bench_temperature(std::string_view category) noexcept {
  for (const std::string_view greedy : {"extraction", "math", "coding", "reasoning"}) {
    if (category == greedy) return 0;
  }
  return category == "stem" || category == "humanities" ? 0.1 : 0.7;
}

std::string mt_bench_model_id(const std::string& model) {
  std::filesystem::path path(model);
  while (!path.has_filename() && path.has_relative_path())
    path = path.parent_path();  // the slash
  if (path.empty() || path.filename() == "." || path.filename() == "..") {
    std::error_code failed;
    const std::filesystem::path named = std::filesystem::canonical(path.empty() ? "." : path, failed);
    if (!failed) path = named;
  }
  // Of a name with dots in it, only a file's ending is no part.
  return (path.extension() == ".gguf" ? path.stem() : path.filename()).string();
}

std::string mt_bench_answer_line(const mt_bench_question& asked, std::span<const std::string> answers,
                                 const std::string& model_id, const std::string& answer_id,
                                 double seconds_since_1970) {
  io::json_document turns = io::json_document::array();
  for (const std::string& answer : answers)
    turns.push_back(answer);
  io::json_document choices = io::json_document::array();
  choices.push_back(io::json_document::object({{"index", 0}, {"turns", turns}}));
  io::json_document line = io::json_document::object();
  line.set("question_id", asked.id);
  line.set("answer_id", answer_id);
  line.set("model_id", model_id);
  line.set("choices", choices);
  line.set("tstamp", seconds_since_1970);
  return line.text();
}

}  // namespace act::tasks
