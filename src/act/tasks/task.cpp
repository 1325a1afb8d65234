#include <act/error.hpp>
#include <act/tasks/task.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

std::span<const task> all_tasks() {
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

const task& find_task(std::string_view name) {
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

task with_paper_instruction(task changed) {
  if (changed.kind == task_kind::multiple_choice && changed.name != "mmlu") {
    changed.instruction = find_task("hellaswag").instruction;
  }
  return changed;
}

task without_final_space(task changed, std::string_view asked_by) {
  if (changed.kind != task_kind::classification || !changed.pattern.ends_with(' ')) {
    throw error(error_code::invalid_option, asked_by,
                "doesn't apply to task '" + changed.name +
                    (changed.kind == task_kind::verbatim ? "', whose prompts are the file's own"
                                                         : "', whose prompts end without a space"));
  }
  changed.pattern.pop_back();
  return changed;
}

task with_authors_label_order(task changed) {
  if (changed.name == "trec") {
    changed.label_words = {" Description", " Entity", " Expression", " Person", " Number", " Location"};
  }
  return changed;
}

}  // namespace act::tasks
