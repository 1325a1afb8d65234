#include <act/io/parse_json.hpp>
#include <act/io/text_file.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/squad.hpp>
#include <act/tasks/sample.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace act::tasks {

std::vector<sample> read_squad(const io::text_file& file) {
  const nlohmann::json document = io::parse_json(file.text, file.name, "mend the file or fetch it again");
  std::vector<sample> samples;
  std::size_t group = 0;
  const auto each = [](const json_record& within, const std::string& key, auto use) {
    std::size_t number = 0;
    for (const nlohmann::json& item : within.array(key)) {
      use(json_record{within.place + " " + key + "[" + std::to_string(number++) + "]", item});
    }
  };
  each({file.name, document}, "data", [&](const json_record& article) {
    std::string title = article.text("title");
    std::replace(title.begin(), title.end(), '_', ' ');
    each(article, "paragraphs", [&](const json_record& paragraph) {
      const std::string context = paragraph.text("context");
      each(paragraph, "qas", [&](const json_record& question) {
        sample& read = samples.emplace_back();
        read.fields = {{"id", question.text("id")},
                       {"title", title},
                       {"context", context},
                       {"question", question.text("question")}};
        read.group = group;
        const bool impossible =
            question.value.contains("is_impossible") && question.at("is_impossible") == true;
        if (!impossible) {
          each(question, "answers",
               [&](const json_record& answer) { read.choices.push_back(answer.text("text")); });
          if (read.choices.empty()) {
            question.refuse("has no answers and isn't marked is_impossible; add one or the mark");
          }
        }
      });
      ++group;
    });
  });
  return samples;
}

}  // namespace act::tasks
