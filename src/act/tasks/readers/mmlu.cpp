#include <act/io/text_file.hpp>
#include <act/tasks/readers/csv.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/readers/mmlu.hpp>
#include <act/tasks/sample.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

std::string mmlu_subject(const std::filesystem::path& path) {
  std::string subject = path.stem().string();
  for (const std::string_view ending : {"_test", "_dev", "_val"}) {
    if (subject.ends_with(ending)) {
      subject.resize(subject.size() - ending.size());
      break;
    }
  }
  for (char& c : subject) {
    c = c == '_' ? ' ' : c;
  }
  return subject;
}

std::vector<sample> read_mmlu(const io::text_file& file) {
  static const std::vector<std::string> letters = {"A", "B", "C", "D"};
  const std::string subject = mmlu_subject(file.name);
  std::vector<sample> samples;
  for (const csv_row& row : parse_csv(file)) {
    if (row.cells.size() != 6) {
      bad_line(file, row.line,
               "has " + std::to_string(row.cells.size()) +
                   " cells; there must be 6: question, four options, letter");
    }
    sample& read = samples.emplace_back();
    read.fields["subject"] = subject;
    read.fields["question"] = row.cells[0];
    read.choices.assign(row.cells.begin() + 1, row.cells.begin() + 5);
    read.label = label_position(place_of(file, row.line), row.cells[5], letters);
  }
  return samples;
}

}  // namespace act::tasks
