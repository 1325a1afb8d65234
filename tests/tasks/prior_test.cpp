// The sample without content whose scores are the label prior.
#include "message_of.hpp"

#include <act/tasks/likelihood.hpp>
#include <act/tasks/prior.hpp>
#include <act/tasks/prompts.hpp>

#include <doctest/doctest.h>

TEST_CASE("classification: every field is emptied, the shots stay") {
  act::tasks::sample asked, shot;
  asked.fields = {{"premise", "P"}, {"hypothesis", "H"}};
  shot.fields = {{"premise", "p"}, {"hypothesis", "h"}};
  const act::tasks::task& cb = act::tasks::find_task("cb");
  CHECK(act::tasks::build_prompt(cb, act::tasks::content_free(cb, asked)) ==
        cb.instruction + "Premise:  Hypothesis: . Answer: ");
  CHECK(act::tasks::build_prompt(cb, act::tasks::content_free(cb, asked), {&shot, 1}) ==
        cb.instruction + "Premise: p Hypothesis: h. Answer:  Yes\n\nPremise:  Hypothesis: . Answer: ");
}

TEST_CASE("multiple choice: letters stay, texts go, the instruction's subject stays") {
  act::tasks::sample asked;
  asked.fields = {{"question", "Q?"}, {"subject", "knots"}};
  asked.choices = {"x", "y"};
  const act::tasks::task& mmlu = act::tasks::find_task("mmlu");
  CHECK(act::tasks::build_prompt(mmlu, act::tasks::content_free(mmlu, asked)) ==
        "The following are multiple choice questions (with answers) about knots.\n\n\nA. \nB. \nAnswer:");
  const auto scored = act::tasks::build_likelihood_prompt(mmlu, act::tasks::content_free(mmlu, asked, true));
  CHECK(scored.context ==
        "The following are multiple choice questions (with answers) about knots.\n\n\nAnswer:");
  CHECK(scored.continuations == std::vector<std::string>{" x", " y"});
}

TEST_CASE("a file of one's own brings its prior prompt") {
  act::tasks::sample asked;
  asked.index = 6;
  asked.fields = {{"prompt", "Movie: great. Verdict:"}, {"prior_prompt", "Movie: Verdict:"}};
  asked.choices = {" good", " bad"};
  const act::tasks::task& own = act::tasks::find_task("jsonl");
  CHECK(act::tasks::build_prompt(own, act::tasks::content_free(own, asked)) == "Movie: Verdict:");
  CHECK(act::tasks::content_free(own, asked).choices == asked.choices);
  asked.fields.erase("prior_prompt");
  CHECK(act_test::message_of([&] { return act::tasks::content_free(own, asked); }) ==
        "sample 6: has no \"prior_prompt\"; add the prompt without the sample's own text to its line");
  CHECK(act_test::message_of([&] {
          return act::tasks::content_free(own, asked, false, "own.jsonl");
        }).starts_with("own.jsonl: sample 6: has no"));
  CHECK(act_test::message_of([&] {
          return act::tasks::content_free(act::tasks::find_task("squad"), asked);
        }) == "prior: task 'squad' has no labels, so no label prior");
}
