// Which tokens say an answer, for each kind of tokenizer, and what is refused.
#include "golden_tokenizer.hpp"
#include "message_of.hpp"

#include <act/runtime/tokenizer/load.hpp>
#include <act/tasks/evaluate.hpp>
#include <act/tasks/greedy_answers.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/readers/lines.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

std::string text_of(const act::runtime::tokenizer& by, act::runtime::token_id token) {
  return by.decode({&token, 1});
}

act::tasks::sample question(std::vector<std::string> choices, std::size_t index = 0) {
  return {.index = index, .fields = {{"question", "Which?"}}, .choices = std::move(choices), .label = 0};
}

}  // namespace

TEST_CASE("an answer's tokens are all that decode to it but for blanks, with every kind of tokenizer") {
  std::vector<const char*> files{"small.gguf"};
#if defined(ACT_HAS_SENTENCEPIECE)
  files.push_back("small.spm.gguf");
#endif
  for (const char* file : files) {
    CAPTURE(file);
    const auto by = act_test::golden_tokenizer(file);
    const act::tasks::tokens_by_text vocabulary(*by);
    for (const std::string word : {"A", "B", "the", "a"}) {
      CAPTURE(word);
      std::vector<act::runtime::token_id> expected;
      for (std::size_t id = 0; id < by->vocabulary_size(); ++id) {
        const auto token = static_cast<act::runtime::token_id>(id);
        std::string text;
        try {
          text = text_of(*by, token);
        } catch (const act::error&) {  // an id that the vocabulary leaves out
        }
        if (act::tasks::trimmed(text) == word) expected.push_back(token);
      }
      CHECK(!expected.empty());
      CHECK(vocabulary.saying(word) == expected);
      CHECK(vocabulary.saying(" " + word) == expected);
      CHECK(vocabulary.saying(word + "\n") == expected);
    }
    CHECK(vocabulary.saying(" ").empty());
    CHECK(vocabulary.saying("no token says that much").empty());
  }
}

TEST_CASE("greedy: prepared samples hold the tokens of every letter") {
  const auto by = act_test::golden_tokenizer("small.gguf");
  const std::vector<act::tasks::sample> samples{question({"x", "y", "z"}),
                                                question({"x", "y", "z", "w", "v"}, 1)};
  const act::tasks::task& task = act::tasks::find_task("arce");
  const act::tasks::prepared_samples made =
      act::tasks::prepare(task, samples, *by, 512, act::tasks::long_prompts::refuse, "file",
                          {.scoring = act::tasks::scoring_rule::greedy, .shots = {}, .vocabulary = nullptr});
  REQUIRE(made.samples.size() == 2);
  CHECK(made.samples[0].greedy());
  CHECK(made.samples[0].answers() == 3);
  CHECK(made.samples[0].score_count() == 4);
  CHECK(made.samples[1].answers() == 5);
  CHECK(made.samples[0].words.empty());
  CHECK(made.samples[0].prompt == by->encode(act::tasks::build_prompt(task, samples[0])));
  for (const act::runtime::token_id token : made.samples[1].greedy_tokens[4])
    CHECK(act::tasks::trimmed(text_of(*by, token)) == "E");
}

TEST_CASE("greedy: a word of several tokens is refused by name, and so are two alike") {
  const auto by = act_test::golden_tokenizer("small.gguf");
  const auto refused = [&](const act::tasks::task& task, const act::tasks::sample& sample) {
    return act_test::message_of([&] {
      (void)act::tasks::prepare(
          task, {&sample, 1}, *by, 512, act::tasks::long_prompts::refuse, "file",
          {.scoring = act::tasks::scoring_rule::greedy, .shots = {}, .vocabulary = nullptr});
    });
  };
  act::tasks::task own;
  own.pattern = "{question}";
  own.label_words = {" A", " extraordinarily"};
  const std::string several = refused(own, question({}));
  CHECK(several.find("file: sample 0") != std::string::npos);
  CHECK(several.find("' extraordinarily'") != std::string::npos);
  CHECK(several.find("use scoring labels") != std::string::npos);
  own.label_words = {" A", "A"};
  CHECK(refused(own, question({})).find("but for blanks") != std::string::npos);
}

TEST_CASE("greedy: another token is never right, whatever the label, and no part of the AUC") {
  // Three samples of two answers and one of three; the last number of each row is any other token's.
  const std::vector<std::size_t> labels{0, 1, 1, 0};
  const act::tasks::sample_scores run{.plain = {{5, 1, 2}, {1, 2, 9}, {1, 4, 0}, {1, 2, 0, 8}},
                                      .contextual = {},
                                      .calibrated = {{5, 1, 2}, {1, 2, 0}, {1, 4, 0}, {1, 2, 0, 8}},
                                      .with_other = true};
  const act::tasks::evaluation result = act::tasks::evaluate(labels, 3, {&run, 1});
  CHECK(result.with_other);
  CHECK(result.baseline.correct == 2);
  CHECK(result.baseline.other == 2);
  CHECK(result.baseline.predicted == std::vector<double>{1, 1, 0});
  CHECK(result.calibrated->correct == 3);
  CHECK(result.calibrated->other == 1);
  CHECK(result.difference->gained == 1);
  // The answers' own numbers are the same in both.
  CHECK(result.difference->auc == 0.0);
  const act::statistics::score_table answers{{5, 1}, {1, 2}, {1, 4}, {1, 2, 0}};
  CHECK(result.baseline.auc == act::statistics::auc({&answers, 1}, labels));
}
