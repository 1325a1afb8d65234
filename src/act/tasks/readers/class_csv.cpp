#include <act/io/text_file.hpp>
#include <act/tasks/readers/class_csv.hpp>
#include <act/tasks/readers/csv.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace act::tasks {

std::vector<sample> read_class_csv(const io::text_file& file, std::size_t label_count, csv_text wanted) {
  std::vector<sample> samples;
  bool first = true;
  for (csv_row& row : parse_csv(file)) {
    const std::string& number = row.cells[0];
    const bool numeric = !number.empty() && number.find_first_not_of("0123456789") == std::string::npos;
    const bool header = first && !numeric;
    first = false;
    if (header) {
      continue;
    }
    if (row.cells.size() != 3) {
      bad_line(
          file, row.line,
          "has " + std::to_string(row.cells.size()) + " cells; there must be 3: class, title, description");
    }
    if (!numeric || number.size() > 4 || std::stoul(number) < 1 || std::stoul(number) > label_count) {
      bad_line(
          file, row.line,
          "class must be a number from 1 to " + std::to_string(label_count) + ", not " + excerpt(number));
    }
    sample& read = samples.emplace_back();
    read.label = std::stoul(number) - 1;
    read.fields["text"] = wanted == csv_text::description ? row.cells[2] : row.cells[1] + " " + row.cells[2];
  }
  return samples;
}

}  // namespace act::tasks
