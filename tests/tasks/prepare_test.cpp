// What a prepared sample carries for redistribution::subset: the tokens of its question or its choices, of
// every text that is scored, also after a cut at the left. Prompts themselves: prompts_test.cpp,
// likelihood_test.cpp.
#include "golden_tokenizer.hpp"
#include "message_of.hpp"

#include <act/runtime/tokenizer/load.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/readers/lines.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

constexpr auto likelihood = act::tasks::scoring_rule::likelihood;
constexpr act::tasks::choice_names names{
    .long_prompts = "--long", .subset = "--to", .redistribution = "--give"};

const act::runtime::tokenizer& small_tokenizer() {
  static const std::unique_ptr<act::runtime::tokenizer> by = act_test::golden_tokenizer("small.gguf");
  return *by;
}

const act::tasks::sample asked{.index = 7,
                               .fields = {{"question", "Which of the rivers is the longest of all?"}},
                               .choices = {"the first river", "another", "none of these"},
                               .label = 1};

struct preparation {
  const char* task = "arce";
  act::tasks::scoring_rule scoring = act::tasks::scoring_rule::words;
  std::optional<act::tasks::prompt_part> part = {};
  std::size_t context = 1000;
  act::tasks::sample sample = asked;
};

act::tasks::prepared_sample prepared(const preparation& how) {
  const act::tasks::prepared_samples made =
      act::tasks::prepare(act::tasks::find_task(how.task), {&how.sample, 1}, small_tokenizer(), how.context,
                          act::tasks::long_prompts::truncate_left, "f",
                          {.scoring = how.scoring, .subset = how.part, .called = names});
  REQUIRE(made.samples.size() == 1);
  return made.samples.front();
}

std::string said(const std::vector<act::runtime::token_id>& tokens,
                 const std::vector<std::size_t>& positions) {
  std::vector<act::runtime::token_id> chosen;
  for (const std::size_t position : positions)
    chosen.push_back(tokens.at(position));
  return std::string(act::tasks::trimmed(small_tokenizer().decode(chosen, true)));
}

}  // namespace

TEST_CASE("a prepared prompt carries where its question or its choices stand") {
  for (const act::tasks::scoring_rule scoring :
       {act::tasks::scoring_rule::words, act::tasks::scoring_rule::greedy}) {
    const auto question = prepared({.scoring = scoring, .part = act::tasks::prompt_part::question});
    CHECK(said(question.prompt, question.subset) == asked.fields.at("question"));
    CHECK(question.option_subsets.empty());
    const auto choices = prepared({.scoring = scoring, .part = act::tasks::prompt_part::choices});
    CHECK(said(choices.prompt, choices.subset) == "the first river another none of these");
    CHECK(prepared({.scoring = scoring}).subset.empty());
  }
}

TEST_CASE("each option's text carries its own question or the option itself") {
  const auto question = prepared({.scoring = likelihood, .part = act::tasks::prompt_part::question});
  const auto choices = prepared({.scoring = likelihood, .part = act::tasks::prompt_part::choices});
  REQUIRE(question.option_subsets.size() == 3);
  REQUIRE(choices.option_subsets.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::vector<act::runtime::token_id>& tokens = question.options[i].tokens;
    CHECK(said(tokens, question.option_subsets[i]) == asked.fields.at("question"));
    CHECK(said(tokens, choices.option_subsets[i]) == asked.choices[i]);
    CHECK(choices.option_subsets[i].front() == choices.options[i].first_scored);
    CHECK(choices.option_subsets[i].back() + 1 == tokens.size());
  }
  CHECK(question.subset.empty());
  CHECK(prepared({.scoring = likelihood}).option_subsets.empty());
}

TEST_CASE("a prompt cut at the left keeps the positions of what is left") {
  for (const act::tasks::prompt_part part :
       {act::tasks::prompt_part::question, act::tasks::prompt_part::choices}) {
    const auto whole = prepared({.part = part});
    // Before the part, inside it, and to its last token.
    for (const std::size_t cut : {whole.subset.front() - 1, whole.subset[2], whole.subset.back()}) {
      CAPTURE(cut);
      const auto kept = prepared({.part = part, .context = whole.prompt.size() - cut});
      REQUIRE(kept.prompt ==
              std::vector(whole.prompt.begin() + static_cast<std::ptrdiff_t>(cut), whole.prompt.end()));
      std::vector<std::size_t> expected;
      for (const std::size_t position : whole.subset) {
        if (position >= cut) expected.push_back(position - cut);
      }
      CHECK(!expected.empty());
      CHECK(kept.subset == expected);
    }
  }
}

TEST_CASE("each option's text is cut on its own") {
  const auto whole = prepared({.scoring = likelihood, .part = act::tasks::prompt_part::question});
  std::size_t longest = 0;
  for (const act::runtime::scored_text& option : whole.options)
    longest = std::max(longest, option.tokens.size());
  const std::size_t context = longest - whole.option_subsets.front()[2];
  const auto kept =
      prepared({.scoring = likelihood, .part = act::tasks::prompt_part::question, .context = context});
  for (std::size_t i = 0; i < whole.options.size(); ++i) {
    const std::size_t size = whole.options[i].tokens.size();
    const std::size_t cut = size > context ? size - context : 0;
    REQUIRE(kept.options[i].tokens.size() == size - cut);
    for (const std::size_t position : kept.option_subsets[i]) {
      CHECK(kept.options[i].tokens.at(position) == whole.options[i].tokens.at(position + cut));
    }
    const auto left =
        static_cast<std::size_t>(std::count_if(whole.option_subsets[i].begin(), whole.option_subsets[i].end(),
                                               [cut](std::size_t position) { return position >= cut; }));
    CHECK(kept.option_subsets[i].size() == left);
  }
  CHECK(kept.option_subsets[0] != kept.option_subsets[1]);  // texts of different length
}

TEST_CASE("a sample without a token to give to is refused by name") {
  const auto whole = prepared({.part = act::tasks::prompt_part::question});
  CHECK(act_test::message_of([&] {
          (void)prepared({.part = act::tasks::prompt_part::question,
                          .context = whole.prompt.size() - whole.subset.back() - 1});
        }) ==
        "f: sample 7: has no token of its question left after the cut to the model's context, for sinks to "
        "give "
        "to; use --long skip");
  act::tasks::sample empty = asked;
  empty.choices = {"", ""};
  CHECK(
      act_test::message_of(
          [&] { (void)prepared({.part = act::tasks::prompt_part::choices, .sample = empty}); }) ==
      "f: sample 7: has no token of its choices, for sinks to give to; leave the sample out, or use another "
      "--give");
  CHECK(act_test::message_of([&] {
          (void)prepared({.task = "jsonl", .part = act::tasks::prompt_part::question});
        }).starts_with("--to: task 'jsonl' "));
}
