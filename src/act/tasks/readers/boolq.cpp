#include <act/io/text_file.hpp>
#include <act/tasks/readers/boolq.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/sample.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace act::tasks {

std::vector<sample> read_boolq(const io::text_file& file) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    read.fields["passage"] = record.text("passage");
    read.fields["question"] = record.text("question");
    const nlohmann::json& label = record.at("label");
    std::string word = label.is_string() ? label.get<std::string>() : label.dump();
    std::transform(word.begin(), word.end(), word.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const bool truth = word == "true" || word == "1";
    if (!truth && word != "false" && word != "0") {
      record.refuse("'label' must be true or false");
    }
    read.label = truth ? 1 : 0;
  });
  return samples;
}

}  // namespace act::tasks
