#include <act/error.hpp>
#include <act/io/json_text.hpp>
#include <act/io/text_file.hpp>
#include <act/tasks/mt_bench.hpp>
#include <act/tasks/readers/json_lines.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace act::tasks {

std::vector<mt_bench_question> read_mt_bench(const io::text_file& file) {
  std::vector<mt_bench_question> questions;
  std::set<std::uint64_t> seen;
  for_each_json_line(file, [&](const json_record& record) {
    mt_bench_question& read = questions.emplace_back();
    if (!record.at("question_id").is_number_unsigned()) {
      record.refuse("'question_id' must be a whole number");
    }
    read.id = record.at("question_id").get<std::uint64_t>();
    if (!seen.insert(read.id).second) {
      record.refuse("question " + std::to_string(read.id) + " appears twice; remove one");
    }
    read.category = record.text("category");
    for (const nlohmann::json& turn : record.array("turns")) {
      if (!turn.is_string() || turn.get<std::string>().empty()) {
        record.refuse("'turns' must hold texts only");
      }
      read.turns.push_back(turn.get<std::string>());
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

std::string mt_bench_answer_line(const mt_bench_question& asked, std::span<const std::string> answers,
                                 const std::string& model_id, const std::string& answer_id,
                                 double seconds_since_1970) {
  using ordered = nlohmann::ordered_json;
  ordered turns = ordered::array();
  for (const std::string& answer : answers) {
    turns.push_back(answer);
  }
  ordered choice = ordered::object();
  choice["index"] = 0;
  choice["turns"] = turns;
  ordered line = ordered::object();
  line["question_id"] = asked.id;
  line["answer_id"] = answer_id;
  line["model_id"] = model_id;
  line["choices"] = ordered::array({choice});
  line["tstamp"] = seconds_since_1970;
  return io::compact_json(line);
}

}  // namespace act::tasks
