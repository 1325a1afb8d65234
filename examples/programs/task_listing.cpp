#include "programs/task_listing.hpp"

#include <act/tasks/task.hpp>

#include <string>
#include <string_view>

#include "programs/command_line.hpp"

namespace act_program {

namespace {

using act::tasks::file_format;
using act::tasks::task;
using act::tasks::task_kind;

std::string_view answered_by(task_kind kind) {
  switch (kind) {
    case task_kind::classification:
      return "label word";
    case task_kind::multiple_choice:
      return "letter of an option";
    case task_kind::verbatim:
      return "option of its own";
    case task_kind::open_ended:
      return "generated text";
  }
  return {};
}

std::string_view written_as(file_format format) {
  switch (format) {
    case file_format::sentence_tsv:
      return "TSV with a header: sentence, label";
    case file_format::digit_lines:
      return "lines 'label text', UTF-8";
    case file_format::latin1_lines:
      return "lines 'label text', ISO 8859-1";
    case file_format::title_text_csv:
      return "CSV: class, title, text";
    case file_format::text_csv:
      return "CSV: class, title, text (the text is used)";
    case file_format::question_classes:
      return "lines 'COARSE:fine text'";
    case file_format::inference_jsonl:
      return "JSON lines: premise, hypothesis, label; rte: or GLUE's TSV";
    case file_format::boolq_jsonl:
      return "JSON lines: passage, question, label or answer";
    case file_format::hellaswag_jsonl:
      return "JSON lines: ctx, endings, label";
    case file_format::arc_jsonl:
      return "JSON lines: question.stem, question.choices, answerKey";
    case file_format::piqa_jsonl:
      return "JSON lines: goal, sol1, sol2; labels in a file beside it, or label";
    case file_format::openbookqa_tsv:
      return "TSV by its header, or JSON lines";
    case file_format::copa:
      return "JSON lines, or the original XML";
    case file_format::commonsense_jsonl:
      return "JSON lines: question, choices, answerKey";
    case file_format::mmlu_csv:
      return "CSV: question, four options, letter; or a folder of them";
    case file_format::squad_json:
      return "SQuAD 1.1 or 2.0 JSON, or an export's rows";
    case file_format::own_jsonl:
      return "JSON lines: prompt, options, label (a task of your own)";
  }
  return {};
}

std::string padded(std::string_view text, std::size_t width) {
  return std::string(text) + std::string(text.size() < width ? width - text.size() : 0, ' ');
}

}  // namespace

void add_task_listing(command_line& line) {
  line.add_listing("--list-tasks", "Print the tasks, with the files they read, and end", task_listing);
}

std::string task_listing() {
  std::string lines = padded("task", 15) + padded("answer", 21) + "data file\n";
  for (const task& each : act::tasks::all_tasks()) {
    lines += padded(each.name, 14) + " " + padded(answered_by(each.kind), 20) + " " +
             std::string(written_as(each.format)) + "\n";
    if (each.label_words.empty()) continue;
    lines += padded("", 15) + "labels:";
    for (std::size_t i = 0; i < each.label_words.size(); ++i)
      lines += (i > 0 ? "," : "") + each.label_words[i];
    lines += "\n";
  }
  return lines + "act-eval has ppl, too: the perplexity of a text (--task ppl --data FILE).\n";
}

}  // namespace act_program
