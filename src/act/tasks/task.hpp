// The evaluation tasks as data: instruction, pattern, label words and file format of each. A task of one's
// own is one more value of `task`. Not here: how a prompt is put together (prompts.hpp), how a file is read
// (read_samples.hpp).
#pragma once

#include <act/error.hpp>

#include <span>
#include <string>
#include <string_view>
#include <utility>
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
inline std::span<const task> all_tasks() {
  using enum task_kind;
  using enum file_format;
  static const std::string sentiment = "Sentence: {text} \nSentiment: ";
  static const std::string truth =
      "Read the following paragraph and determine if the hypothesis is true.\n\n";
  static const std::string answer = "Generate the correct answer to the following question.";
  static const std::vector<task> tasks = {
      {"sst2",
       classification,
       sentence_tsv,
       "Classify the sentiment of the user's message into one of the following categories: 'positive' or "
       "'negative'.\n\n",
       sentiment,
       {" negative", " positive"},
       {}},
      {"sst5",
       classification,
       digit_lines,
       "Classify the sentiment of the user's message into one of the following categories: 'terrible', "
       "'negative', "
       "'neutral', 'positive', or 'great'.\n\n",
       sentiment,
       {" terrible", " negative", " neutral", " positive", " great"},
       {}},
      {"mr",
       classification,
       latin1_lines,
       "Classify the sentiment of the movie's review into one of the following categories: 'positive' or "
       "'negative'.\n\n",
       "Review: {text} \nSentiment: ",
       {" negative", " positive"},
       {}},
      {"subj",
       classification,
       latin1_lines,
       "Classify the sentiment polarity of the movie's review into one of the following categories: "
       "'subjective' or "
       "'object'.\n\n",
       "Input: {text} \nType: ",
       {" subjective", " objective"},
       {}},
      {"agnews",
       classification,
       title_text_csv,
       "Classify the news articles into the categories of 'World', 'Sports', 'Business', or "
       "'Technology'.\n\n",
       "Article: {text} \nCategory: ",
       {" World", " Sports", " Business", " Technology"},
       {}},
      {"trec",
       classification,
       question_classes,
       "Classify the given questions into the following categories of 'Description', 'Entity', 'Expression', "
       "'Person', 'Number', or 'Location'.\n\n",
       "Question: {text} \nType: ",
       {" Expression", " Entity", " Description", " Person", " Location", " Number"},
       {"ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM"}},
      {"cb",
       classification,
       inference_jsonl,
       truth,
       "Premise: {premise} Hypothesis: {hypothesis}. Answer: ",
       {" Yes", " No", " Maybe"},
       {"entailment", "contradiction", "neutral"}},
      {"rte",
       classification,
       inference_jsonl,
       truth,
       "Premise: {premise} Hypothesis: {hypothesis} Answer: ",
       {" Yes", " No"},
       {"entailment", "not_entailment"}},
      {"boolq",
       classification,
       boolq_jsonl,
       "Read the text and answer the question by True or False.\n\n",
       "Text: {passage} Question: {question}? \nAnswer: ",
       {" False", " True"},
       {}},
      {"dbpedia",
       classification,
       text_csv,
       "Classify the given text into one of the most relevant categories: 'company', 'school', 'artist', "
       "'sport', "
       "'politics', 'transportation', 'building', 'nature', 'village', 'animal', 'plant', 'album', 'film', "
       "or "
       "'book'.\n\n",
       "Input: {text} \nType: ",
       {" company", " school", " artist", " sport", " politics", " transportation", " building", " nature",
        " village", " animal", " plant", " album", " film", " book"},
       {}},
      {"hellaswag",
       multiple_choice,
       hellaswag_jsonl,
       "Complete the following sentence with an appropriate ending.",
       "{ctx}",
       {},
       {}},
      {"arce", multiple_choice, arc_jsonl, answer, "{question}", {}, {}},
      {"arcc", multiple_choice, arc_jsonl, answer, "{question}", {}, {}},
      {"piqa",
       multiple_choice,
       piqa_jsonl,
       "Generate the correct solution to accomplish the following goal.",
       "{goal}",
       {},
       {}},
      {"obqa",
       multiple_choice,
       openbookqa_tsv,
       "Generate the most appropriate answer to the following question.",
       "{question}",
       {},
       {}},
      {"copa", multiple_choice, copa, answer, "{premise} What is the {question}?", {}, {}},
      {"csqa", multiple_choice, commonsense_jsonl, answer, "{question}", {}, {}},
      {"mmlu",
       multiple_choice,
       mmlu_csv,
       "The following are multiple choice questions (with answers) about {subject}.",
       "{question}",
       {},
       {}},
      {"squad",
       open_ended,
       squad_json,
       "Answer question using information in the preceding background paragraph. If there is not enough "
       "information "
       "provided, answer with \"Not in background.\"\n\nTitle: {title}\n\nBackground: {context}\n\n",
       "Q: {question}\n\nA:",
       {},
       {}},
      {"jsonl", verbatim, own_jsonl, "", "{prompt}", {}, {}},
  };
  return tasks;
}

/// The built-in task of that name. Throws error (invalid_option) that lists the known names.
inline const task& find_task(std::string_view name) {
  std::string known;
  for (const task& candidate : all_tasks()) {
    if (candidate.name == name) {
      return candidate;
    }
    known += (known.empty() ? "" : ", ") + candidate.name;
  }
  throw error(error_code::invalid_option, "task",
              "there is no task '" + std::string(name) + "'; use one of " + known);
}

/// The task with the one instruction the paper's appendix prints for all multiple-choice sets but mmlu,
/// instead of the authors' code's own one for each. Any other task comes back unchanged.
inline task with_paper_instruction(task changed) {
  if (changed.kind == task_kind::multiple_choice && changed.name != "mmlu") {
    changed.instruction = find_task("hellaswag").instruction;
  }
  return changed;
}

/// trec with the label words in the order of the authors' code, which doesn't match the data's label ids:
/// only for reproducing their figures (four of six classes are scored wrongly). Any other task comes back
/// unchanged.
inline task with_authors_label_order(task changed) {
  if (changed.name == "trec") {
    changed.label_words = {" Description", " Entity", " Expression", " Person", " Number", " Location"};
  }
  return changed;
}

}  // namespace act::tasks
