#include <act/io/text_file.hpp>
#include <act/io/utf8.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/readers/question_classes.hpp>
#include <act/tasks/sample.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

std::vector<sample> read_question_classes(io::text_file file, std::span<const std::string> classes) {
  if (io::find_invalid_utf8(file.text) != std::string::npos) {
    std::replace(file.text.begin(), file.text.end(), '\xF0', ' ');
  }
  std::vector<sample> samples;
  for_each_line(file, text_encoding::utf8, [&](std::string_view line, std::size_t number) {
    const std::size_t colon = line.find(':');
    const std::size_t space = line.find(' ');
    if (colon == std::string_view::npos || space == std::string_view::npos || space < colon) {
      bad_line(file, number, "must begin with COARSE:fine and a space, not " + excerpt(line.substr(0, 16)));
    }
    const std::string_view text = trimmed(line.substr(space + 1));
    if (text.empty()) {
      bad_line(file, number, "has no question after its class; add it or remove the line");
    }
    sample& read = samples.emplace_back();
    read.label = label_position(place_of(file, number), line.substr(0, colon), classes);
    read.fields["text"] = std::string(text);
  });
  return samples;
}

}  // namespace act::tasks
