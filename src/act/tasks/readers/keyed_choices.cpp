#include <act/io/text_file.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/keyed_choices.hpp>
#include <act/tasks/sample.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace act::tasks {

std::vector<sample> read_keyed_choices(const io::text_file& file) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    std::vector<std::string> keys;
    const nlohmann::json& question = record.at("question");
    if (question.is_object()) {
      const json_record inner{record.place, question};
      read.fields["question"] = inner.text("stem");
      for (const nlohmann::json& choice : inner.array("choices")) {
        const json_record option{record.place, choice};
        keys.push_back(option.text("label"));
        read.choices.push_back(option.text("text"));
      }
      record.check_option_count(keys.size());
    } else {
      read.fields["question"] = record.text("question");
      const json_record choices{record.place, record.at("choices")};
      keys = choices.options("label");
      read.choices = choices.options("text");
      if (keys.size() != read.choices.size()) {
        record.refuse("has " + std::to_string(keys.size()) + " keys for " +
                      std::to_string(read.choices.size()) + " options");
      }
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
      for (std::size_t before = 0; before < i; ++before) {
        if (keys[before] == keys[i]) {
          record.refuse("two options have the key " + excerpt(keys[i]));
        }
      }
    }
    read.label = label_position(record.place, record.text("answerKey"), keys);
  });
  return samples;
}

}  // namespace act::tasks
