#include <act/io/text_file.hpp>
#include <act/tasks/readers/inference.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/sample.hpp>

#include <span>
#include <string>
#include <vector>

namespace act::tasks {

std::vector<sample> read_inference(const io::text_file& file, std::span<const std::string> labels) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    read.fields["premise"] = record.text("premise");
    read.fields["hypothesis"] = record.text("hypothesis");
    read.label = label_position(record.place, record.text("label"), labels);
  });
  return samples;
}

}  // namespace act::tasks
