#include <act/io/text_file.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/own_jsonl.hpp>
#include <act/tasks/sample.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace act::tasks {

std::vector<sample> read_own_jsonl(const io::text_file& file) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    read.fields["prompt"] = record.text("prompt");
    if (read.fields["prompt"].empty()) {
      record.refuse("'prompt' is empty; there is nothing to continue");
    }
    if (record.value.contains("prior_prompt")) {
      read.fields["prior_prompt"] = record.text("prior_prompt");
    }
    read.choices = record.options("options");
    for (std::size_t i = 0; i < read.choices.size(); ++i) {
      if (read.choices[i].empty()) {
        record.refuse("option " + std::to_string(i) + " is empty");
      }
      const auto end = read.choices.begin() + static_cast<std::ptrdiff_t>(i);
      if (std::find(read.choices.begin(), end, read.choices[i]) != end) {
        record.refuse("option " + excerpt(read.choices[i]) + " appears twice");
      }
    }
    const nlohmann::json& label = record.at("label");
    const auto named = label.is_string()
                           ? std::find(read.choices.begin(), read.choices.end(), label.get<std::string>())
                           : read.choices.end();
    if (named != read.choices.end()) {
      read.label = static_cast<std::size_t>(named - read.choices.begin());
    } else if (label.is_number_unsigned() && label.get<std::uint64_t>() < read.choices.size()) {
      read.label = label.get<std::size_t>();
    } else {
      record.refuse("'label' must be an option's text or a whole number from 0 to " +
                    std::to_string(read.choices.size() - 1));
    }
  });
  return samples;
}

}  // namespace act::tasks
