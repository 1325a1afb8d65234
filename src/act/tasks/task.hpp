// The evaluation tasks as data: instruction, pattern, label words and file format of each. A task of one's
// own is one more value of `task`. Not here: how a prompt is put together (prompts.hpp), how a file is read
// (read_samples.hpp).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

/// How the prompt is laid out, and what is scored at its end.
enum class task_kind {
  classification,   ///< pattern ends with a space; the task's label words are scored
  multiple_choice,  ///< question with a lettered list of options; the letters are scored
  verbatim,         ///< the prompt and its options come from the file as they are
  open_ended,       ///< the answer is generated text
};

/// How the data file is written; the reader of each is in readers/.
enum class file_format {
  sentence_tsv,       ///< header, then `sentence<TAB>label`
  digit_lines,        ///< `label text`, UTF-8
  latin1_lines,       ///< `label text`, ISO 8859-1
  title_text_csv,     ///< `class,title,text`, both texts used
  text_csv,           ///< `class,title,text`, the third column alone used
  question_classes,   ///< `COARSE:fine text`
  inference_jsonl,    ///< premise, hypothesis, label
  boolq_jsonl,        ///< passage, question, a truth value
  hellaswag_jsonl,    ///< ctx, endings, label
  arc_jsonl,          ///< question.stem, question.choices, answerKey
  piqa_jsonl,         ///< goal, sol1, sol2, and a file of labels beside it
  openbookqa_tsv,     ///< columns by header name, options inline
  copa,               ///< JSON lines, or the original XML
  commonsense_jsonl,  ///< question and choices, flattened or nested
  mmlu_csv,           ///< question, four options, letter; a file or a folder of them
  squad_json,         ///< SQuAD 1.1 or 2.0
  own_jsonl,          ///< {"prompt", "options", "label"}
};

/// `pattern` names fields of a sample in braces; each is replaced once and never looked at again. For
/// classification it is the whole body up to the answer, for multiple choice the question alone.
struct task {
  std::string name;
  task_kind kind = task_kind::classification;
  file_format format = file_format::own_jsonl;
  std::string instruction;               ///< comes first in every prompt; may name fields as `pattern` does
  std::string pattern;                   ///< made from the sample's fields
  std::vector<std::string> label_words;  ///< classification: in label-id order, each with its leading space
  std::vector<std::string>
      file_labels;  ///< how the file spells the labels, in id order, where it spells them
};

/// Every built-in task, in a fixed order. Prompts: the paper's Appendix B in the layout of the authors'
/// published code, with the slips of that code corrected (see authors_label_order below).
std::span<const task> all_tasks();

/// The built-in task of that name. Throws error (invalid_option) that lists the known names.
const task& find_task(std::string_view name);

/// The task with the one instruction the paper's appendix prints for all multiple-choice sets but mmlu,
/// instead of the authors' code's own one for each. Any other task comes back unchanged.
task with_paper_instruction(task changed);

/// The classification task with prompts, shots' too, that end at the cue itself ("Sentiment:") and not at the
/// space behind it: the label word brings its own. Byte-level BPE makes a token of that last space, which
/// follows few texts a model has read; a SentencePiece model pays more for it, whose words begin with theirs.
/// Throws error (invalid_option) for a task whose prompts end without a space anyway, or are the file's own;
/// its where() is `asked_by`.
task without_final_space(task changed, std::string_view asked_by = "final space");

/// trec with the label words in the order of the authors' code, which doesn't match the data's label ids:
/// only for reproducing their figures (four of six classes are scored wrongly). Any other task comes back
/// unchanged.
task with_authors_label_order(task changed);

}  // namespace act::tasks
