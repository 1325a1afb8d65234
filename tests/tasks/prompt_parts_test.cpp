// Where questions and choices stand in a prompt, in bytes and in the tokens of every kind of tokenizer.
#include "golden_prompts.hpp"
#include "golden_tokenizer.hpp"
#include "message_of.hpp"

#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/character_tokenizer.hpp>
#include <act/runtime/tokenizer/load.hpp>
#include <act/tasks/prompt_parts.hpp>
#include <act/tasks/readers/lines.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

// What the tokens of a range say, without blanks around it.
std::string said(const act::runtime::tokenizer& by, const std::vector<act::runtime::token_id>& tokens,
                 const std::vector<std::size_t>& positions) {
  std::vector<act::runtime::token_id> chosen;
  for (const std::size_t position : positions)
    chosen.push_back(tokens.at(position));
  return std::string(act::tasks::trimmed(by.decode(chosen, true)));
}

// Of the characters that the golden prompts have.
std::unique_ptr<act::runtime::tokenizer> characters() {
  std::set<std::string> found;
  for (const auto& prompt : act_test::golden_prompts()) {
    const std::string text = act::tasks::build_prompt(prompt.task, prompt.asked(), prompt.shots);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = act::io::utf8_length(text, at);
      found.insert(text.substr(at, length));
      at += length;
    }
  }
  std::vector<std::pair<std::string, act::runtime::token_id>> vocabulary;
  for (const std::string& each : found)
    vocabulary.emplace_back(each, static_cast<act::runtime::token_id>(vocabulary.size()));
  return std::make_unique<act::runtime::character_tokenizer>(vocabulary, "test");
}

}  // namespace

TEST_CASE("ranges are the question's and the choices' own bytes, of the asked sample and not of its shots") {
  const act::tasks::sample asked{
      .index = 0, .fields = {{"question", "Which one?"}}, .choices = {"this", "", "that one"}, .label = 0};
  const act::tasks::sample shot{
      .index = 1, .fields = {{"question", "Which one?"}}, .choices = {"this", "that one"}, .label = 0};
  const act::tasks::task& task = act::tasks::find_task("arce");
  for (const std::vector<act::tasks::sample>& shots : {std::vector<act::tasks::sample>{}, {shot, shot}}) {
    const std::string prompt = act::tasks::build_prompt(task, asked, shots);
    const auto texts = [&](act::tasks::prompt_part part) {
      std::vector<std::string> found;
      for (const act::tasks::text_range& range : act::tasks::part_ranges(task, asked, prompt, part)) {
        CHECK(range.begin > prompt.size() - 60);
        found.push_back(prompt.substr(range.begin, range.end - range.begin));
      }
      return found;
    };
    CHECK(texts(act::tasks::prompt_part::question) == std::vector<std::string>{"Which one?"});
    CHECK(texts(act::tasks::prompt_part::choices) == std::vector<std::string>{"this", "that one"});
  }
}

TEST_CASE("the instruction is what every prompt begins with, lettered or by likelihood") {
  const act::tasks::sample asked{
      .index = 0, .fields = {{"question", "Which one?"}, {"text", "a b"}}, .choices = {"this"}, .label = 0};
  for (const char* name : {"arce", "sst2"}) {
    const act::tasks::task& task = act::tasks::find_task(name);
    REQUIRE(!task.instruction.empty());
    for (const std::vector<act::tasks::sample>& shots : {std::vector<act::tasks::sample>{}, {asked, asked}}) {
      const std::string prompt = act::tasks::build_prompt(task, asked, shots);
      const auto ranges = act::tasks::part_ranges(task, asked, prompt, act::tasks::prompt_part::instruction);
      CHECK(ranges == std::vector<act::tasks::text_range>{{0, task.instruction.size()}});
      CHECK(prompt.starts_with(task.instruction));
    }
  }
  const act::tasks::task& task = act::tasks::find_task("arce");
  const act::tasks::likelihood_prompt built = act::tasks::build_likelihood_prompt(task, asked, {});
  CHECK(act::tasks::part_ranges(task, asked, built, 0, act::tasks::prompt_part::instruction) ==
        std::vector<act::tasks::text_range>{{0, task.instruction.size()}});
  act::tasks::task without = act::tasks::find_task("sst2");
  without.instruction.clear();
  CHECK(act_test::message_of([&] {
          act::tasks::check_part(without, act::tasks::prompt_part::instruction);
        }) == "subset: task 'sst2' has no instruction; use subset question");
}

TEST_CASE("a classification prompt's question is what the sample says, without the pattern's words") {
  const act::tasks::sample asked{
      .index = 0,
      .fields = {{"passage", "{question}, it said."}, {"question", "is it so"}, {"text", "a b"}},
      .choices = {},
      .label = 0};
  const auto texts = [&](const char* name, const std::vector<act::tasks::sample>& shots) {
    const act::tasks::task& task = act::tasks::find_task(name);
    const std::string prompt = act::tasks::build_prompt(task, asked, shots);
    std::vector<std::string> found;
    for (const act::tasks::text_range& range :
         act::tasks::part_ranges(task, asked, prompt, act::tasks::prompt_part::question)) {
      CHECK(range.begin > prompt.size() - 70);
      found.push_back(prompt.substr(range.begin, range.end - range.begin));
    }
    return found;
  };
  for (const std::vector<act::tasks::sample>& shots : {std::vector<act::tasks::sample>{}, {asked, asked}}) {
    CHECK(texts("boolq", shots) == std::vector<std::string>{"{question}, it said.", "is it so"});
    CHECK(texts("sst2", shots) == std::vector<std::string>{"a b"});
  }
}

TEST_CASE("a text with one option: its question, or the option itself") {
  const act::tasks::sample asked{
      .index = 0, .fields = {{"question", "Which one?"}}, .choices = {"this", "that one"}, .label = 0};
  const act::tasks::task& task = act::tasks::find_task("arce");
  for (const std::vector<act::tasks::sample>& shots : {std::vector<act::tasks::sample>{}, {asked, asked}}) {
    const act::tasks::likelihood_prompt built = act::tasks::build_likelihood_prompt(task, asked, shots);
    for (std::size_t option = 0; option < 2; ++option) {
      const std::string text = built.context + built.continuations[option];
      const auto said = [&](act::tasks::prompt_part part) {
        const auto ranges = act::tasks::part_ranges(task, asked, built, option, part);
        REQUIRE(ranges.size() == 1);
        CHECK(ranges[0].begin > text.size() - 40);
        return text.substr(ranges[0].begin, ranges[0].end - ranges[0].begin);
      };
      CHECK(said(act::tasks::prompt_part::question) == "Which one?");
      CHECK(said(act::tasks::prompt_part::choices) == asked.choices[option]);
    }
  }
}

TEST_CASE("parts that a task's prompts don't have are refused") {
  const auto refused = [](const char* task, act::tasks::prompt_part part) {
    return act_test::message_of([&] { act::tasks::check_part(act::tasks::find_task(task), part); });
  };
  CHECK(refused("arce", act::tasks::prompt_part::question).empty());
  CHECK(refused("mmlu", act::tasks::prompt_part::choices).empty());
  CHECK(refused("sst2", act::tasks::prompt_part::question).empty());
  CHECK(refused("sst2", act::tasks::prompt_part::choices) ==
        "subset: task 'sst2' shows no choices; use subset question, or a multiple-choice task");
  CHECK(act_test::message_of([] {
          act::tasks::check_part(act::tasks::find_task("squad"), act::tasks::prompt_part::question,
                                 {.redistribution = "--to"}, "heads.json");
        }) ==
        "heads.json: task 'squad' has answers that are generated, and nobody looks for parts of its prompts; "
        "use another --to");
  for (const act::tasks::prompt_part part :
       {act::tasks::prompt_part::question, act::tasks::prompt_part::choices}) {
    CHECK(refused("jsonl", part).find("has prompts of its own") != std::string::npos);
    CHECK(refused("squad", part).find("generated") != std::string::npos);
  }
}

TEST_CASE("tokens of a part say that part, with every kind of tokenizer") {
  std::vector<std::pair<std::string, std::unique_ptr<act::runtime::tokenizer>>> all;
  all.emplace_back("byte-level", act_test::golden_tokenizer("small.gguf"));
  all.emplace_back("characters", characters());
#if defined(ACT_HAS_SENTENCEPIECE)
  all.emplace_back("SentencePiece", act_test::golden_tokenizer("small.spm.gguf"));
#endif
  std::size_t ranges_seen = 0;
  for (const auto& [named, by] : all) {
    const auto& kind = named;
    CAPTURE(kind);
    for (const auto& prompt : act_test::golden_prompts()) {
      if (prompt.task.kind != act::tasks::task_kind::multiple_choice) continue;
      const std::string text = act::tasks::build_prompt(prompt.task, prompt.asked(), prompt.shots);
      CAPTURE(text);
      const std::vector<act::runtime::token_id> tokens = by->encode(text);
      std::vector<std::size_t> together;
      for (const act::tasks::prompt_part part :
           {act::tasks::prompt_part::question, act::tasks::prompt_part::choices}) {
        const auto ranges = act::tasks::part_ranges(prompt.task, prompt.asked(), text, part);
        std::vector<std::size_t> all_of_part;
        for (const act::tasks::text_range& range : ranges) {
          const std::vector<std::size_t> positions = act::tasks::token_positions(
              *by, text, tokens, {&range, 1}, act::runtime::special_tokens_in_text::are_text);
          CHECK(said(*by, tokens, positions) ==
                std::string(act::tasks::trimmed(text.substr(range.begin, range.end - range.begin))));
          all_of_part.insert(all_of_part.end(), positions.begin(), positions.end());
          ++ranges_seen;
        }
        CHECK(act::tasks::token_positions(*by, text, tokens, ranges,
                                          act::runtime::special_tokens_in_text::are_text) == all_of_part);
        together.insert(together.end(), all_of_part.begin(), all_of_part.end());
      }
      // The question comes before its choices, and no token belongs to two parts.
      for (std::size_t i = 1; i < together.size(); ++i)
        CHECK(together[i] > together[i - 1]);
      CHECK(together.back() < tokens.size() - 1);  // "Answer:" follows
    }
  }
  CHECK(ranges_seen > 50);
}
