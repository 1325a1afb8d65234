// copa: a premise and two candidates for its cause or effect, as JSON lines or as the original XML.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/readers/flat_xml.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace act::tasks {

namespace detail {

inline void check_copa_question(const std::string& place, const std::string& question) {
  if (question != "cause" && question != "effect") {
    throw error(error_code::invalid_input, place,
                "asks for " + excerpt(question) + "; it must be cause or effect");
  }
}

inline std::vector<sample> read_copa_jsonl(const io::text_file& file) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    read.fields["premise"] = record.text("premise");
    read.fields["question"] = record.text("question");
    check_copa_question(record.place, read.fields["question"]);
    read.choices = {record.text("choice1"), record.text("choice2")};
    read.label = record.index("label", 2);
  });
  return samples;
}

inline std::vector<sample> read_copa_xml(const io::text_file& file) {
  std::vector<sample> samples;
  std::optional<sample> item;
  std::string* text = nullptr;  // where the open element's text goes
  for (const xml_event& event : parse_flat_xml(file)) {
    const std::string place = place_of(file, event.line);
    const auto attribute = [&](const char* name) {
      const auto found = event.attributes.find(name);
      if (found == event.attributes.end()) {
        throw error(error_code::invalid_input, place, "the item has no " + std::string(name) + "; add it");
      }
      return found->second;
    };
    switch (event.kind) {
      case xml_event_kind::open:
        if (event.name == "item") {
          item.emplace();
          item->choices.resize(2);
          item->fields["question"] = attribute("asks-for");
          check_copa_question(place, item->fields["question"]);
          const std::string right = attribute("most-plausible-alternative");
          item->label = label_position(place, right, std::vector<std::string>{"1", "2"});
        } else if (item && (event.name == "p" || event.name == "a1" || event.name == "a2")) {
          text = event.name == "p" ? &item->fields["premise"] : &item->choices[event.name == "a1" ? 0 : 1];
        }
        break;
      case xml_event_kind::text:
        if (text != nullptr) {
          *text += event.text;
        }
        break;
      case xml_event_kind::close:
        text = nullptr;
        if (event.name == "item" && item) {
          if (item->fields["premise"].empty() || item->choices[0].empty() || item->choices[1].empty()) {
            throw error(error_code::invalid_input, place,
                        "the item that ends here lacks one of p, a1, a2; add it");
          }
          samples.push_back(*item);
          item.reset();
        }
        break;
    }
  }
  return samples;
}

}  // namespace detail

/// Fields "premise" and "question" (cause or effect), two choices, label 0 or 1. A file whose first byte
/// other than white space is `<` is XML: `item` with asks-for and most-plausible-alternative (1 or 2),
/// holding p, a1, a2. Throws error (invalid_input) for any other line or item.
inline std::vector<sample> read_copa(const io::text_file& file) {
  return trimmed(without_bom(file.text)).starts_with('<') ? detail::read_copa_xml(file)
                                                          : detail::read_copa_jsonl(file);
}

}  // namespace act::tasks
