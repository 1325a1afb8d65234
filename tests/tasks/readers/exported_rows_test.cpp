// Hugging Face's exports as JSON lines: the same samples as the sets' own files give.
#include <doctest/doctest.h>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/readers/exported_rows.hpp>
#include <act/tasks/readers/inference.hpp>
#include <act/tasks/readers/piqa.hpp>
#include <act/tasks/readers/squad.hpp>
#include <act/tasks/task.hpp>

#include <string>
#include <vector>

#include "message_of.hpp"
#include "temporary_folder.hpp"

namespace {

using act::tasks::sample;

std::vector<sample> read(const std::string& task, const std::string& text,
                         const std::string& name = "f.json") {
  return act::tasks::read_one_file(act::tasks::find_task(task), {name, text});
}

std::string refused(const std::string& task, const std::string& text) {
  return act_test::message_of([&] { (void)read(task, text); });
}

// Both are the same samples.
void check_same(const std::string& task, const std::string& own, const std::string& exported) {
  CAPTURE(task);
  const std::vector<sample> a = read(task, own), b = read(task, exported);
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].fields == b[i].fields);
    CHECK(a[i].choices == b[i].choices);
    CHECK(a[i].label == b[i].label);
  }
}

}  // namespace

TEST_CASE("an export's rows are the samples of the set's own file") {
  check_same("sst2", "sentence\tlabel\nit is fun \t1\nno\t0\n",
             R"({"sentence": "it is fun ", "label": 1, "idx": 7})"
             "\n"
             R"({"idx": 8, "sentence": "no", "label": 0})");
  check_same("sst5", "4 great film\n",
             R"({"text": "great film", "label": 4, "label_text": "very positive"})");
  check_same("mr", "1 fine\n", R"({"text": "fine", "label": 1})");
  check_same("agnews", "\"3\",\"Oil\",\"It rose.\"\n", R"({"text": "Oil It rose.", "label": 2})");
  check_same("dbpedia", "1,\"E.D.\",\" A company.\"\n",
             R"({"label": 0, "title": "E.D.", "content": " A company."})");
  check_same("trec", "HUM:ind Who was it ?\n",
             R"({"text": "Who was it ?", "coarse_label": 3, "fine_label": 28})");
  check_same("boolq", R"({"passage": "p", "question": "q", "label": true})",
             R"({"question": "q", "passage": "p", "idx": 0, "label": 1})");
  check_same("cb", R"({"premise": "p", "hypothesis": "h", "label": "neutral"})",
             R"({"premise": "p", "hypothesis": "h", "idx": 2, "label": 2})");
  check_same("rte", R"({"premise": "p", "hypothesis": "h", "label": "not_entailment"})",
             R"({"sentence1": "p", "sentence2": "h", "label": 1, "idx": 0})");
  check_same(
      "obqa", "Question Stem\tChoices\tAnswer Key\nWhy?\t(A) a (B) b (C) c (D) d\tC\n",
      R"({"id": "7", "question_stem": "Why?", "choices": {"text": ["a", "b", "c", "d"], "label": ["A", "B", "C", "D"]}, "answerKey": "C"})");
}

TEST_CASE("subj's rows are read by the labels' names: the export numbers them the other way round") {
  CHECK(read("subj", R"({"text": "a", "label": 0, "label_text": "objective"})")[0].label == 1);
  CHECK(read("subj", R"({"text": "a", "label": 1, "label_text": "subjective"})")[0].label == 0);
  CHECK(refused("subj", R"({"text": "a", "label": 1})").starts_with("f.json:1: has no 'label_text'"));
}

TEST_CASE("mmlu's rows have their subject and the answer's number") {
  const std::vector<sample> rows = read(
      "mmlu",
      R"({"question": "1 + 1?", "subject": "abstract_algebra", "choices": ["1", "2", "3", "4"], "answer": 1})");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].fields.at("subject") == "abstract algebra");
  CHECK(rows[0].fields.at("question") == "1 + 1?");
  CHECK(rows[0].choices == std::vector<std::string>{"1", "2", "3", "4"});
  CHECK(rows[0].label == 1);
}

TEST_CASE("rows of another set, and without labels, are refused") {
  CHECK(refused("sst2", R"({"premise": "p", "hypothesis": "h", "label": 0})") ==
        "f.json:1: has no 'text'; is it another task's file?");
  CHECK(refused("sst2", R"({"sentence": "a", "label": -1})") ==
        "f.json:1: 'label' is -1: this part of the set has no labels; use another");
  CHECK(refused("sst2", R"({"sentence": "a", "label": 2})") ==
        "f.json:1: 'label' must be a whole number from 0 to 1");
  CHECK(refused("rte", R"({"premise": "a", "hypothesis": "b", "label": -1})") ==
        "f.json:1: 'label' is -1: this part of the set has no labels; use another");
  CHECK(refused("trec", R"({"text": "a", "label": 2})") ==
        "f.json:1: has no 'coarse_label'; is it another task's file?");
}

TEST_CASE("GLUE's RTE by its columns' names, and other columns refused") {
  const std::vector<sample> rows =
      read("rte", "index\tsentence1\tsentence2\tlabel\n0\tIt rained.\tIt was wet.\tentailment\n");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].fields.at("premise") == "It rained.");
  CHECK(rows[0].fields.at("hypothesis") == "It was wet.");
  CHECK(rows[0].label == 0);
  CHECK(read("rte", "label\tsentence2\tsentence1\nnot_entailment\th\tp\n")[0].fields.at("premise") == "p");
  // MNLI's and MRPC's.
  CHECK(refused("rte", "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t1\t2\ta\tb\n") ==
        "f.json:1: the header has no column 'sentence1'; is it another task's file?");
  CHECK(refused("rte", "sentence1\tsentence2\tlabel\tlabel\na\tb\tc\td\n") ==
        "f.json:1: the header has two columns 'label'; remove or rename one");
  CHECK(refused("rte", "sentence1\tsentence2\tlabel\na\tb\n") ==
        "f.json:2: has 2 columns where the header has 3");
}

TEST_CASE("piqa: rows with their labels need no second file") {
  const act_test::temporary_folder folder;
  const std::string rows =
      folder.write("valid.json", R"({"goal": "g", "sol1": "a", "sol2": "b", "label": 1})");
  const auto& piqa = act::tasks::find_task("piqa");
  CHECK(act::tasks::files_of(piqa, rows) == std::vector<std::string>{rows});
  CHECK(act::tasks::read_samples(piqa, rows)[0].label == 1);
  // A file of labels beside it is the set's own way, and wins.
  (void)folder.write("valid-labels.lst", "0\n");
  CHECK(act::tasks::read_samples(piqa, rows)[0].label == 0);
  CHECK(act_test::message_of([] {
          (void)act::tasks::read_piqa({"v", R"({"goal": "g", "sol1": "a", "sol2": "b"})"});
        }).starts_with("v:1: has no 'label'"));
}

TEST_CASE("squad's rows: a question each, those of one context one paragraph") {
  const std::vector<sample> rows = read(
      "squad",
      R"({"id": "1", "title": "Super_Bowl", "context": "c", "question": "q1", "answers": {"text": ["a", "b"], "answer_start": [1, 2]}})"
      "\n"
      R"({"id": "2", "title": "Super_Bowl", "context": "c", "question": "q2", "answers": {"text": [], "answer_start": []}})"
      "\n"
      R"({"id": "3", "title": "Other", "context": "d", "question": "q3", "answers": {"text": ["e"], "answer_start": [0]}})"
      "\n");
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].fields.at("title") == "Super Bowl");
  CHECK(rows[0].choices == std::vector<std::string>{"a", "b"});
  CHECK(rows[1].choices.empty());
  CHECK(rows[0].group == rows[1].group);
  CHECK(rows[2].group == rows[1].group + 1);
}
