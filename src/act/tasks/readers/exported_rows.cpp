#include <act/error.hpp>
#include <act/tasks/readers/exported_rows.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/lines.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace act::tasks {

namespace {

// A label's number; the sets' unlabelled parts have -1 everywhere.
std::size_t label_number(const json_record& row, const std::string& key, std::size_t labels) {
  if (row.at(key).as_written() == "-1")
    row.refuse("'" + key + "' is -1: this part of the set has no labels; use another");
  return row.index(key, labels);
}

sample text_row(const json_record& row, const std::string& text, const std::string& label,
                std::size_t labels) {
  sample read;
  read.fields["text"] = row.text(text);
  if (read.fields["text"].empty()) row.refuse("'" + text + "' is empty");
  read.label = label_number(row, label, labels);
  return read;
}

sample subj_row(const json_record& row) {
  sample read;
  read.fields["text"] = row.text("text");
  if (!row.has("label_text")) {
    row.refuse(
        "has no 'label_text'; exports of this set number their labels in both ways, so the name is needed");
  }
  static const std::string names[] = {"subjective", "objective"};
  read.label = label_position(row.place, row.text("label_text"), names);
  return read;
}

sample mmlu_row(const json_record& row) {
  sample read;
  std::string subject = row.text("subject");
  std::replace(subject.begin(), subject.end(), '_', ' ');
  read.fields["subject"] = subject;
  read.fields["question"] = row.text("question");
  read.choices = row.options("choices");
  read.label = row.index("answer", read.choices.size());
  return read;
}

sample row_of(const task& of, const json_record& row) {
  const std::size_t labels = of.label_words.size();
  switch (of.format) {
    case file_format::sentence_tsv:
      return text_row(row, row.has("sentence") ? "sentence" : "text", "label", labels);
    case file_format::digit_lines:
    case file_format::title_text_csv:
      return text_row(row, "text", "label", labels);
    case file_format::latin1_lines:
      return of.name == "subj" ? subj_row(row) : text_row(row, "text", "label", labels);
    case file_format::text_csv:
      return text_row(row, "content", "label", labels);
    case file_format::question_classes:
      return text_row(row, "text", "coarse_label", labels);
    case file_format::mmlu_csv:
      return mmlu_row(row);
    default:
      throw error(error_code::unsupported, row.place, "task '" + of.name + "' has no exported rows");
  }
}

}  // namespace

bool is_json_lines(const io::text_file& file) noexcept {
  return trimmed(without_bom(file.text)).starts_with('{');
}

bool has_exported_rows(file_format format) noexcept {
  switch (format) {
    case file_format::sentence_tsv:
    case file_format::digit_lines:
    case file_format::latin1_lines:
    case file_format::title_text_csv:
    case file_format::text_csv:
    case file_format::question_classes:
    case file_format::mmlu_csv:
      return true;
    default:
      return false;
  }
}

std::vector<sample> read_exported_rows(const task& of, const io::text_file& file) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& row) { samples.push_back(row_of(of, row)); });
  return samples;
}

}  // namespace act::tasks
