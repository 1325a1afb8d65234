// A data set of one's own: JSON lines with prompt, options and label.
#include "message_of.hpp"

#include <act/tasks/readers/own_jsonl.hpp>

#include <doctest/doctest.h>

namespace {

std::string refused_line(const std::string& line) {
  return act_test::message_of([&] { act::tasks::read_own_jsonl({"own.jsonl", line}); });
}

std::string with_label(const std::string& label) {
  return R"({"prompt": "p", "options": [" yes", " no", "1"], "label": )" + label + "}";
}

}  // namespace

TEST_CASE("the label is an index or an option's text") {
  CHECK(act::tasks::read_own_jsonl({"f", with_label("1")})[0].label == 1);
  CHECK(act::tasks::read_own_jsonl({"f", with_label("\" no\"")})[0].label == 1);
  CHECK(act::tasks::read_own_jsonl({"f", with_label("\"1\"")})[0].label == 2);  // text comes before digits
  for (const char* wrong :
       {"3", "-1", "1.0", "\"no\"", "\"0\"", "null", "true", "[0]", "18446744073709551615"}) {
    CHECK(refused_line(with_label(wrong)) ==
          "own.jsonl:1: 'label' must be an option's text or a whole number from 0 to 2");
  }
}

TEST_CASE("prompt and options are taken as they are") {
  const auto read = act::tasks::read_own_jsonl({"f",
                                                "{\"prompt\": \" {x}\\n\", \"options\": [\" a\", \"b \"], "
                                                "\"label\": 0, \"prior_prompt\": \"\", \"id\": 7}\n"});
  CHECK(read[0].fields.at("prompt") == " {x}\n");
  CHECK(read[0].fields.at("prior_prompt").empty());
  CHECK(read[0].choices == std::vector<std::string>{" a", "b "});
  CHECK(read[0].fields.size() == 2);
}

TEST_CASE("lines that don't say what is needed are refused") {
  CHECK(refused_line(R"({"options": ["a", "b"], "label": 0})") ==
        "own.jsonl:1: has no 'prompt'; is it another task's file?");
  CHECK(refused_line(R"({"prompt": "", "options": ["a", "b"], "label": 0})") ==
        "own.jsonl:1: 'prompt' is empty; there is nothing to continue");
  CHECK(refused_line(R"({"prompt": "p", "options": ["a"], "label": 0})") ==
        "own.jsonl:1: has 1 options; there must be 2 to 26");
  CHECK(refused_line(R"({"prompt": "p", "options": ["a", ""], "label": 0})") ==
        "own.jsonl:1: option 1 is empty");
  CHECK(refused_line(R"({"prompt": "p", "options": ["a", "b", "a"], "label": 0})") ==
        "own.jsonl:1: option 'a' appears twice");
  CHECK(refused_line(R"({"prompt": "p", "options": {"a": 1}, "label": 0})") ==
        "own.jsonl:1: 'options' must be a list");
  CHECK(refused_line(R"({"prompt": "p", "options": ["a", "b"]})") ==
        "own.jsonl:1: has no 'label'; is it another task's file?");
  CHECK(refused_line(R"({"prompt": ["p"], "options": ["a", "b"], "label": 0})") ==
        "own.jsonl:1: 'prompt' must be a string");
}

TEST_CASE("every cut and every flipped bit of a line is read or refused, never worse") {
  const std::string line = with_label("\" no\"") + "\n";
  for (std::size_t at = 0; at < line.size(); ++at) {
    (void)refused_line(line.substr(0, at));
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = line;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      (void)refused_line(flipped);
    }
  }
}
