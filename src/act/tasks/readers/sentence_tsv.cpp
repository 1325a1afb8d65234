#include <act/io/text_file.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/readers/sentence_tsv.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

std::vector<sample> read_sentence_tsv(const io::text_file& file) {
  std::vector<sample> samples;
  bool header = true;
  for_each_line(file, text_encoding::utf8, [&](std::string_view line, std::size_t number) {
    const std::size_t tab = line.rfind('\t');
    const std::string_view label = tab == std::string_view::npos ? std::string_view() : line.substr(tab + 1);
    const bool labelled = label == "0" || label == "1";
    if (header) {
      if (labelled || tab == std::string_view::npos) {
        bad_line(file, number, "the first line must be the header 'sentence<TAB>label'; add it");
      }
      header = false;
      return;
    }
    if (!labelled) {
      bad_line(file, number, "must end with a tab and the label 0 or 1, not " + excerpt(label));
    }
    if (tab == 0) {
      bad_line(file, number, "has no sentence before its label; add it or remove the line");
    }
    sample& read = samples.emplace_back();
    read.fields["text"] = std::string(line.substr(0, tab));
    read.label = label == "1" ? 1 : 0;
  });
  return samples;
}

}  // namespace act::tasks
