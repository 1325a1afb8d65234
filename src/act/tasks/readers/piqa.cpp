#include <act/error.hpp>
#include <act/io/text_file.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/readers/piqa.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

std::vector<sample> read_piqa(const io::text_file& file, const io::text_file& labels) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    read.fields["goal"] = record.text("goal");
    read.choices = {record.text("sol1"), record.text("sol2")};
  });
  std::size_t count = 0;
  for_each_line(labels, text_encoding::utf8, [&](std::string_view line, std::size_t number) {
    const std::string_view label = trimmed(line);
    if (label != "0" && label != "1") {
      bad_line(labels, number, "must be the label 0 or 1, not " + excerpt(label));
    }
    if (count < samples.size()) {
      samples[count].label = label == "1" ? 1 : 0;
    }
    ++count;
  });
  if (count != samples.size()) {
    throw error(error_code::mismatch, labels.name,
                "has " + std::to_string(count) + " labels for the " + std::to_string(samples.size()) +
                    " samples of " + file.name + "; take both files from one download");
  }
  return samples;
}

}  // namespace act::tasks
