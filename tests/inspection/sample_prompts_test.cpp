// Samples as prompts to look at: any task, long ones as asked.
#include <act/inspection/sample_prompts.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "inspection/tiny_models.hpp"

namespace {

std::vector<act::tasks::sample> samples_of(const std::vector<std::string>& texts) {
  std::vector<act::tasks::sample> samples;
  for (const std::string& text : texts) {
    act::tasks::sample& one = samples.emplace_back();
    one.index = 10 + samples.size();
    one.fields["prompt"] = text;
  }
  return samples;
}

}  // namespace

TEST_CASE("prompts of a task's samples need no answers, and long ones are refused, left out or cut") {
  const act::runtime::loaded_model loaded =
      act::runtime::load_model(act_test::parity_folder / "tiny-llama-mixed.gguf");
  const act::runtime::tokenizer& by = *loaded.tokenizer;
  const act::tasks::task& task = act::tasks::find_task("jsonl");
  const std::vector<act::tasks::sample> samples =
      samples_of({"the road", "what people ask of the long and winding road"});
  const act::inspection::sample_prompts all =
      act::inspection::prompts_of(task, samples, by, 1000, act::tasks::long_prompts::refuse,
                                  act::runtime::special_tokens_in_text::are_text, "data");
  REQUIRE(all.prompts.size() == 2);
  CHECK(all.prompts[0] == by.encode("the road"));
  const std::size_t shorter = all.prompts[0].size(), longer = all.prompts[1].size();
  REQUIRE(shorter < longer);

  const auto skipped = act::inspection::prompts_of(task, samples, by, shorter, act::tasks::long_prompts::skip,
                                                   act::runtime::special_tokens_in_text::are_text, "data");
  CHECK(skipped.prompts.size() == 1);
  CHECK(skipped.skipped == 1);
  const auto cut =
      act::inspection::prompts_of(task, samples, by, longer - 1, act::tasks::long_prompts::truncate_left,
                                  act::runtime::special_tokens_in_text::are_text, "data");
  REQUIRE(cut.prompts.size() == 2);
  CHECK(cut.truncated == 1);
  CHECK(std::vector(all.prompts[1].begin() + 1, all.prompts[1].end()) == cut.prompts[1]);
  try {
    (void)act::inspection::prompts_of(task, samples, by, shorter, act::tasks::long_prompts::refuse,
                                      act::runtime::special_tokens_in_text::are_text, "data",
                                      {.long_prompts = "--long-prompts"});
    FAIL("accepted");
  } catch (const act::error& problem) {
    CHECK(std::string(problem.what()).find("use --long-prompts skip") != std::string::npos);
    CHECK(std::string(problem.what()).find("data: sample 12") != std::string::npos);
  }
}
