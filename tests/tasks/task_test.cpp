// The table of tasks, and the two switches that reproduce the paper's and the authors' variants.
#include "message_of.hpp"

#include <act/error.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

TEST_CASE("every task is complete") {
  std::set<std::string> names;
  for (const act::tasks::task& each : act::tasks::all_tasks()) {
    CAPTURE(each.name);
    CHECK(names.insert(each.name).second);
    CHECK(&act::tasks::find_task(each.name) == &each);
    CHECK_FALSE(each.pattern.empty());
    if (each.kind == act::tasks::task_kind::classification) {
      CHECK(each.instruction.ends_with(".\n\n"));
      CHECK(each.pattern.ends_with(' '));
      CHECK(each.label_words.size() >= 2);
      for (const std::string& word : each.label_words) {
        CHECK(word.starts_with(' '));
      }
      CHECK((each.file_labels.empty() || each.file_labels.size() == each.label_words.size()));
    } else {
      CHECK(each.label_words.empty());
    }
  }
  CHECK(names.size() == 20);
}

TEST_CASE("an unknown task is refused with the known names") {
  const std::string message = act_test::message_of([] { return act::tasks::find_task("imdb"); });
  CHECK(message.starts_with("task: there is no task 'imdb'; use one of sst2, sst5, mr, "));
  CHECK(message.ends_with("squad, jsonl"));
}

TEST_CASE("the paper's instruction is one for all multiple-choice tasks but mmlu") {
  CHECK(act::tasks::with_paper_instruction(act::tasks::find_task("arce")).instruction ==
        "Complete the following sentence with an appropriate ending.");
  CHECK(act::tasks::with_paper_instruction(act::tasks::find_task("mmlu")).instruction ==
        act::tasks::find_task("mmlu").instruction);
  CHECK(act::tasks::with_paper_instruction(act::tasks::find_task("sst2")).instruction ==
        act::tasks::find_task("sst2").instruction);
}

TEST_CASE("the authors' label order changes trec alone") {
  const act::tasks::task& trec = act::tasks::find_task("trec");
  const act::tasks::task slipped = act::tasks::with_authors_label_order(trec);
  // Ids 1 (entities) and 3 (people) are the only ones their order gets right.
  for (std::size_t id = 0; id < trec.label_words.size(); ++id) {
    CHECK((slipped.label_words[id] == trec.label_words[id]) == (id == 1 || id == 3));
  }
  CHECK(act::tasks::with_authors_label_order(act::tasks::find_task("cb")).label_words ==
        act::tasks::find_task("cb").label_words);
}

TEST_CASE("without the final space a prompt ends at its cue, a shot has one space, and words stay") {
  const act::tasks::task sst2 = act::tasks::without_final_space(act::tasks::find_task("sst2"));
  act::tasks::sample sample;
  sample.fields["text"] = "good ";
  sample.label = 1;
  const std::vector<act::tasks::sample> shots{sample};
  CHECK(act::tasks::build_prompt(sst2, sample, shots) ==
        sst2.instruction + "Sentence: good  \nSentiment: positive\n\nSentence: good  \nSentiment:");
  CHECK(act::tasks::scored_words(sst2, sample) == std::vector<std::string>{" negative", " positive"});
  for (const act::tasks::task& each : act::tasks::all_tasks()) {
    CAPTURE(each.name);
    const std::string refused =
        act_test::message_of([&] { return act::tasks::without_final_space(each, "--no"); });
    CHECK(refused.empty() == (each.kind == act::tasks::task_kind::classification));
    CHECK(
        (refused.empty() || refused.starts_with("--no: doesn't apply to task '" + each.name + "', whose ")));
  }
  CHECK_THROWS_AS((void)act::tasks::without_final_space(sst2), act::error);
}
