// The readers of every format that is JSON and nothing else; a header declares each.
#include <act/error.hpp>
#include <act/io/text_file.hpp>
#include <act/tasks/readers/boolq.hpp>
#include <act/tasks/readers/hellaswag.hpp>
#include <act/tasks/readers/inference.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/keyed_choices.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/readers/own_jsonl.hpp>
#include <act/tasks/readers/piqa.hpp>
#include <act/tasks/readers/squad.hpp>
#include <act/tasks/sample.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::tasks {

namespace {

// 0 false, 1 true, in any of the ways that exports write it.
std::size_t truth_value(const json_record& record, const std::string& key) {
  std::string word = record.at(key).as_written();
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const bool truth = word == "true" || word == "1";
  if (!truth && word != "false" && word != "0") {
    record.refuse("'" + key + "' must be true or false");
  }
  return truth ? 1 : 0;
}

}  // namespace

std::vector<sample> read_boolq(const io::text_file& file) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    read.fields["passage"] = record.text("passage");
    read.fields["question"] = record.text("question");
    // BoolQ's own files say 'answer', SuperGLUE's 'label'.
    if (!record.has("answer")) {
      read.label = truth_value(record, "label");
    } else {
      read.label = truth_value(record, "answer");
      if (record.has("label") && truth_value(record, "label") != read.label)
        record.refuse("'answer' and 'label' say different things; leave one out");
    }
  });
  return samples;
}

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

std::vector<sample> read_inference_lines(const io::text_file& file, std::span<const std::string> labels) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    // SuperGLUE's names, or GLUE's.
    const bool glue = record.has("sentence1");
    read.fields["premise"] = record.text(glue ? "sentence1" : "premise");
    read.fields["hypothesis"] = record.text(glue ? "sentence2" : "hypothesis");
    // Exports number the labels, in the same order.
    const json_record label = record.at("label");
    if (label.as_written() == "-1")
      record.refuse("'label' is -1: this part of the set has no labels; use another");
    read.label = label.string() ? label_position(record.place, *label.string(), labels)
                                : record.index("label", labels.size());
  });
  return samples;
}

std::vector<sample> read_keyed_choices(const io::text_file& file) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    std::vector<std::string> keys;
    const std::string key = record.has("question_stem") ? "question_stem" : "question";
    const json_record question = record.at(key);
    if (question.is_object()) {
      read.fields["question"] = question.text("stem");
      for (const json_record& option : question.items("choices")) {
        keys.push_back(option.text("label"));
        read.choices.push_back(option.text("text"));
      }
      record.check_option_count(keys.size());
    } else {
      read.fields["question"] = record.text(key);
      const json_record choices = record.at("choices");
      keys = choices.options("label");
      read.choices = choices.options("text");
      if (keys.size() != read.choices.size()) {
        record.refuse("has " + std::to_string(keys.size()) + " keys for " +
                      std::to_string(read.choices.size()) + " options");
      }
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
      for (std::size_t before = 0; before < i; ++before) {
        if (keys[before] == keys[i]) {
          record.refuse("two options have the key " + excerpt(keys[i]));
        }
      }
    }
    read.label = label_position(record.place, record.text("answerKey"), keys);
  });
  return samples;
}

std::vector<sample> read_own_jsonl(const io::text_file& file) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    read.fields["prompt"] = record.text("prompt");
    if (read.fields["prompt"].empty()) {
      record.refuse("'prompt' is empty; there is nothing to continue");
    }
    if (record.has("prior_prompt")) {
      read.fields["prior_prompt"] = record.text("prior_prompt");
    }
    read.choices = record.options("options");
    for (std::size_t i = 0; i < read.choices.size(); ++i) {
      if (read.choices[i].empty()) {
        record.refuse("option " + std::to_string(i) + " is empty");
      }
      const auto end = read.choices.begin() + static_cast<std::ptrdiff_t>(i);
      if (std::find(read.choices.begin(), end, read.choices[i]) != end) {
        record.refuse("option " + excerpt(read.choices[i]) + " appears twice");
      }
    }
    const json_record label = record.at("label");
    const std::optional<std::string> name = label.string();
    const auto named = name ? std::find(read.choices.begin(), read.choices.end(), *name) : read.choices.end();
    const std::optional<std::uint64_t> number = label.whole_number();
    if (named != read.choices.end()) {
      read.label = static_cast<std::size_t>(named - read.choices.begin());
    } else if (number && *number < read.choices.size()) {
      read.label = static_cast<std::size_t>(*number);
    } else {
      record.refuse("'label' must be an option's text or a whole number from 0 to " +
                    std::to_string(read.choices.size() - 1));
    }
  });
  return samples;
}

std::vector<sample> read_piqa(const io::text_file& file) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    read.fields["goal"] = record.text("goal");
    read.choices = {record.text("sol1"), record.text("sol2")};
    if (!record.has("label")) {
      record.refuse(
          "has no 'label', and no file of labels (*-labels.lst) stands beside it; get both from one "
          "download");
    }
    read.label = record.index("label", 2);
  });
  return samples;
}

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

namespace {

std::string spaced(std::string title) {
  std::replace(title.begin(), title.end(), '_', ' ');
  return title;
}

// A question a row: answers are lists beside each other, none for a question without.
std::vector<sample> read_squad_rows(const io::text_file& file) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& row) {
    sample read;
    read.fields = {{"id", row.text("id")},
                   {"title", spaced(row.text("title"))},
                   {"context", row.text("context")},
                   {"question", row.text("question")}};
    for (const json_record& answer : row.at("answers").items("text")) {
      const std::optional<std::string> text = answer.string();
      if (!text) row.refuse("'answers.text' must hold strings only");
      read.choices.push_back(*text);
    }
    // Questions of one paragraph follow each other.
    if (!samples.empty()) {
      const bool same = samples.back().fields.at("context") == read.fields.at("context");
      read.group = samples.back().group + (same ? 0 : 1);
    }
    samples.push_back(std::move(read));
  });
  return samples;
}

// Whether the first line is a row of an export: an object of its own, with a context.
bool is_squad_rows(const io::text_file& file) {
  const std::string_view text = trimmed(without_bom(file.text));
  const std::string_view first = text.substr(0, text.find('\n'));
  return first.starts_with('{') && trimmed(first).ends_with('}') &&
         first.find("\"data\"") == std::string_view::npos &&
         first.find("\"context\"") != std::string_view::npos;
}

}  // namespace

std::vector<sample> read_squad(const io::text_file& file) {
  if (is_squad_rows(file)) return read_squad_rows(file);
  std::vector<sample> samples;
  std::size_t group = 0;
  const auto each = [](const json_record& within, const std::string& key, auto use) {
    std::size_t number = 0;
    for (json_record& item : within.items(key)) {
      item.place += " " + key + "[" + std::to_string(number++) + "]";
      use(item);
    }
  };
  const auto read_article = [&](const json_record& article) {
    const std::string title = spaced(article.text("title"));
    each(article, "paragraphs", [&](const json_record& paragraph) {
      const std::string context = paragraph.text("context");
      each(paragraph, "qas", [&](const json_record& question) {
        sample& read = samples.emplace_back();
        read.fields = {{"id", question.text("id")},
                       {"title", title},
                       {"context", context},
                       {"question", question.text("question")}};
        read.group = group;
        const bool impossible = question.has("is_impossible") && question.at("is_impossible").is_true();
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
  };
  with_json_document(file, [&](const json_record& document) { each(document, "data", read_article); });
  return samples;
}

}  // namespace act::tasks
