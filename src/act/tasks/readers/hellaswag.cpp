#include <act/io/text_file.hpp>
#include <act/tasks/readers/hellaswag.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/sample.hpp>

#include <vector>

namespace act::tasks {

std::vector<sample> read_hellaswag(const io::text_file& file) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    read.fields["ctx"] = record.text("ctx");
    read.choices = record.options("endings");
    read.label = record.index("label", read.choices.size());
  });
  return samples;
}

}  // namespace act::tasks
