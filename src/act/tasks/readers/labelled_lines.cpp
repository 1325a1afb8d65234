#include <act/io/text_file.hpp>
#include <act/tasks/readers/labelled_lines.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

std::vector<sample> read_labelled_lines(const io::text_file& file, std::size_t label_count,
                                        text_encoding encoding) {
  std::vector<sample> samples;
  for_each_line(file, encoding, [&](std::string_view line, std::size_t number) {
    const std::size_t label = static_cast<std::size_t>(static_cast<unsigned char>(line[0])) - '0';
    if (line[0] < '0' || label >= label_count || line.size() < 2 || line[1] != ' ') {
      bad_line(file, number,
               "must begin with a label from 0 to " + std::to_string(label_count - 1) +
                   " and one space, not " + excerpt(line.substr(0, 8)));
    }
    const std::string_view text = trimmed(line.substr(2));
    if (text.empty()) {
      bad_line(file, number, "has no text after its label; add it or remove the line");
    }
    sample& read = samples.emplace_back();
    read.fields["text"] = encoding == text_encoding::latin1 ? io::latin1_to_utf8(text) : std::string(text);
    read.label = label;
  });
  return samples;
}

}  // namespace act::tasks
