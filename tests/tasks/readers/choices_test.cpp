// The readers of the multiple-choice tasks: what each refuses, beyond what the golden prompts show that it
// reads.
#include "message_of.hpp"

#include <act/tasks/readers/hellaswag.hpp>
#include <act/tasks/readers/keyed_choices.hpp>
#include <act/tasks/readers/mmlu.hpp>
#include <act/tasks/readers/openbookqa.hpp>
#include <act/tasks/readers/piqa.hpp>

#include <doctest/doctest.h>

using act_test::message_of;

TEST_CASE("hellaswag: label as number or digits, inside the endings") {
  const auto refused = [](const std::string& label) {
    return message_of([&] {
      act::tasks::read_hellaswag(
          {"h", R"({"ctx": "c", "endings": ["a", "b", "c", "d"], "label": )" + label + "}"});
    });
  };
  CHECK(refused("3").empty());
  CHECK(refused("\"3\"").empty());
  for (const char* wrong : {"4", "-1", "1.0", "\"4\"", "\"-1\"", "\"\"", "\" 1\"", "\"99999999999999999999\"",
                            "18446744073709551615", "null", "true", "[1]"}) {
    CHECK(refused(wrong) == "h:1: 'label' must be a whole number from 0 to 3");
  }
  CHECK(message_of([] {
          act::tasks::read_hellaswag({"h", R"({"ctx": "c", "endings": ["a"], "label": 0})"});
        }) == "h:1: has 1 options; there must be 2 to 26");
  CHECK(message_of([] {
          act::tasks::read_hellaswag({"h", R"({"ctx": "c", "endings": "ab", "label": 0})"});
        }) == "h:1: 'endings' must be a list");
  CHECK(message_of([] {
          act::tasks::read_hellaswag({"h", R"({"ctx": "c", "endings": ["a", 2], "label": 0})"});
        }) == "h:1: 'endings' must hold strings only");
}

TEST_CASE("arc and csqa: the answer must be one of the keys") {
  const auto refused = [](const std::string& text) {
    return message_of([&] { act::tasks::read_keyed_choices({"a", text}); });
  };
  CHECK(
      refused(
          R"({"question": {"stem": "s", "choices": [{"text": "x", "label": "1"}, {"text": "y", "label": "2"}]},
                    "answerKey": "A"})")
          .starts_with("a:1: not valid JSON"));  // a record is one line
  CHECK(
      refused(
          R"({"question": {"stem": "s", "choices": [{"text": "x", "label": "1"}, {"text": "y", "label": "2"}]}, "answerKey": "A"})") ==
      "a:1: label 'A' is none of 1, 2; is it another task's file?");
  CHECK(
      refused(
          R"({"question": {"stem": "s", "choices": [{"text": "x", "label": "A"}, {"text": "y", "label": "A"}]}, "answerKey": "A"})") ==
      "a:1: two options have the key 'A'");
  CHECK(
      refused(R"({"question": {"stem": "s", "choices": [{"text": "x", "label": "A"}]}, "answerKey": "A"})") ==
      "a:1: has 1 options; there must be 2 to 26");
  CHECK(refused(R"({"question": {"stem": "s", "choices": [{"text": "x"}, 3]}, "answerKey": "A"})") ==
        "a:1: has no 'label'; is it another task's file?");
  CHECK(
      refused(
          R"({"question": "q", "choices": {"label": ["A", "B"], "text": ["x", "y", "z"]}, "answerKey": "A"})") ==
      "a:1: has 2 keys for 3 options");
  CHECK(refused(R"({"question": 1, "choices": {}, "answerKey": "A"})") == "a:1: 'question' must be a string");
  CHECK(refused(R"({"question": "q", "choices": {"label": ["A", "B"], "text": ["x", "y"]}})") ==
        "a:1: has no 'answerKey'; is it another task's file?");
}

TEST_CASE("piqa: as many labels as samples") {
  const act::io::text_file file{"v.jsonl", "{\"goal\": \"g\", \"sol1\": \"a\", \"sol2\": \"b\"}\n"};
  const auto refused = [&](const std::string& labels) {
    return message_of([&] { act::tasks::read_piqa(file, {"v-labels.lst", labels}); });
  };
  CHECK(act::tasks::read_piqa(file, {"l", " 1\r\n\n"})[0].label == 1);
  CHECK(refused("1\n0\n") ==
        "v-labels.lst: has 2 labels for the 1 samples of v.jsonl; take both files from one download");
  CHECK(refused("") ==
        "v-labels.lst: has 0 labels for the 1 samples of v.jsonl; take both files from one download");
  CHECK(refused("2\n") == "v-labels.lst:1: must be the label 0 or 1, not '2'");
}

TEST_CASE("obqa: columns by name, options by marks in order") {
  const std::string header = "Question Stem\tChoices\tAnswer Key\n";
  const auto refused = [&](const std::string& text) {
    return message_of([&] { act::tasks::read_openbookqa({"o.tsv", text}); });
  };
  CHECK(act::tasks::read_openbookqa({"f", header + "q\t(A) a (D) b (B) c (C) (A) d (D) e (E) f\tC"})[0]
            .choices == std::vector<std::string>{"a (D) b", "c", "(A) d", "e (E) f"});
  CHECK(refused("Question Stem\tChoices\nx\ty\n") ==
        "o.tsv:1: the header has no column 'Answer Key'; is it another task's file?");
  CHECK(refused(header + "q\t(A) a (B) b (C) c\tA\n") ==
        "o.tsv:2: 'Choices' must read (A) .. (B) .. (C) .. (D) .., not '(A) a (B) b (C) c'");
  CHECK(refused(header + "q\ta (A) b (B) c (C) d (D) e\tA\n").ends_with("not 'a (A) b (B) c (C) d (D) e'"));
  CHECK(refused(header + "q\t(A) a (B) b (C) c (D) d\tE\n") ==
        "o.tsv:2: label 'E' is none of A, B, C, D; is it another task's file?");
  CHECK(refused(header + "q\t(A) a (B) b (C) c (D) d\n") == "o.tsv:2: has 2 columns where the header has 3");
}

TEST_CASE("obqa: as its JSON lines are published, nested or flattened") {
  for (
      const char* text :
      {R"({"id": "7-1", "question": {"stem": "What is hot?", "choices": [{"text": "ice", "label": "A"}, {"text": "fire", "label": "B"}]}, "answerKey": "B"})",
       R"({"id": "7-1", "question_stem": "What is hot?", "choices": {"text": ["ice", "fire"], "label": ["A", "B"]}, "answerKey": "B"})"}) {
    CAPTURE(text);
    const auto samples = act::tasks::read_openbookqa({"o.jsonl", "\n" + std::string(text) + "\n"});
    REQUIRE(samples.size() == 1);
    CHECK(samples[0].fields.at("question") == "What is hot?");
    CHECK(samples[0].choices == std::vector<std::string>{"ice", "fire"});
    CHECK(samples[0].label == 1);
  }
}

TEST_CASE("mmlu: six cells, a letter, the subject in the file's name") {
  CHECK(act::tasks::mmlu_subject("some/folder/high_school_physics_test.csv") == "high school physics");
  CHECK(act::tasks::mmlu_subject("a_dev.csv") == "a");
  CHECK(act::tasks::mmlu_subject("virology_val.csv") == "virology");
  CHECK(act::tasks::mmlu_subject("test.csv") == "test");
  const auto refused = [](const std::string& text) {
    return message_of([&] { act::tasks::read_mmlu({"x_test.csv", text}); });
  };
  CHECK(refused("q,1,2,3,4,A\nq,1,2,3,4\n") ==
        "x_test.csv:2: has 5 cells; there must be 6: question, four options, letter");
  CHECK(refused("q,1,2,3,4,E\n") ==
        "x_test.csv:1: label 'E' is none of A, B, C, D; is it another task's file?");
}
