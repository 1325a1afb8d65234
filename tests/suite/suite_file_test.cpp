// Suite files: what stands in one, and that nothing in one is passed over.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/suite/suite_file.hpp>

#include <string>
#include <vector>

#include "message_of.hpp"
#include "temporary_folder.hpp"

namespace {

// A suite's folder, with the files that it names.
struct suite_folder {
  act_test::temporary_folder folder;
  std::string path = folder / "suite.toml";

  suite_folder() {
    for (const char* name : {"m.gguf", "dev.tsv", "train.tsv", "test.jsonl", "squad.json", "heads-m.json"})
      (void)folder.write(name, "x");
  }

  [[nodiscard]] act::suite::suite read(const std::string& text) const {
    return act::suite::parse_suite(text, path);
  }
  // The error's line, without the folder.
  [[nodiscard]] std::string error_of(const std::string& text) const {
    std::string message = act_test::message_of([&] { (void)read(text); });
    const std::string prefix = folder.path().string() + "/";
    for (std::size_t at; (at = message.find(prefix)) != std::string::npos;)
      message.erase(at, prefix.size());
    return message;
  }
};

const std::string whole = R"(seed = 3
baselines = ["batch", "linear"]

[defaults]
limit = 100
labelled = 20

[[model]]
path = "m.gguf"

[[task]]
task = "sst2"
data = "dev.tsv"
shots = [0, 4]
shot_data = "train.tsv"

[[task]]
task = "arce"
name = "easy"
data = "test.jsonl"
limit = 0

[[task]]
task = "squad"
data = "squad.json"

[[heads]]
name = "found"
tasks = ["sst2", "easy"]
[heads.search]
select = "top:15"
objective = "likelihood"

[[heads]]
name = "given"
file = "heads-{model}.json"
options = {beta = 0.2}
)";

// `whole` with `from` replaced.
std::string with(const std::string& from, const std::string& to) {
  std::string text = whole;
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a suite file: models, tasks with their defaults, heads") {
  const suite_folder files;
  const act::suite::suite suite = files.read(whole);
  CHECK(suite.seed == 3);
  CHECK(suite.store == files.folder / "suite.sqlite");
  CHECK((suite.baselines.batch && suite.baselines.linear));
  CHECK(!(suite.baselines.contextual || suite.baselines.domain || suite.baselines.bias));
  REQUIRE(suite.models.size() == 1);
  CHECK(suite.models[0].name == "m");
  REQUIRE(suite.tasks.size() == 3);
  CHECK(suite.tasks[0].name == "sst2");
  CHECK(suite.tasks[0].limit == 100);
  CHECK(suite.tasks[0].labelled == 20);
  CHECK(suite.tasks[0].shots == std::vector<std::size_t>{0, 4});
  CHECK(suite.tasks[0].scoring == "labels");
  CHECK(suite.tasks[1].name == "easy");
  CHECK(suite.tasks[1].limit == 0);
  CHECK(suite.tasks[1].scoring == "letters");
  CHECK(suite.tasks[2].generates());
  CHECK(suite.tasks[2].labelled == 0);
  REQUIRE(suite.heads.size() == 2);
  REQUIRE(suite.heads[0].search);
  CHECK(suite.heads[0].search->tasks == std::vector<std::string>{"sst2", "easy"});
  CHECK(!suite.heads[0].search->each_task);
  CHECK(suite.heads[1].options.text() == R"({"beta":0.2})");
}

TEST_CASE("what a suite file gets wrong is one line with its line number and the nearest name there is") {
  const suite_folder files;
  const auto says = [&](const std::string& text, const std::string& message) {
    CHECK(files.error_of(text) == message);
  };
  says(with("limit = 100", "limt = 100"),
       "suite.toml:5: 'defaults' of the file has no key 'limt'; did you mean 'limit'?");
  says(with("seed = 3", "sed = 3"), "suite.toml:1: the file has no key 'sed'; did you mean 'seed'?");
  says(with("[[model]]", "[[modle]]"), "suite.toml:8: the file has no key 'modle'; did you mean 'model'?");
  says(with("name = \"easy\"", "nmae = \"easy\""),
       "suite.toml:19: [[task]] has no key 'nmae'; did you mean 'name'?");
  says(with("limit = 100", "limit = \"100\""),
       "suite.toml:5: 'limit' must be a whole number; it is a string");
  says(with("limit = 100", "limit = -1"), "suite.toml:5: 'limit' is -1, and must be from 0 to 1099511627776");
  says(with("shots = [0, 4]", "shots = [0, 4, 4]"), "suite.toml:14: 'shots' names 4 twice");
  says(with("task = \"arce\"", "task = \"arcee\""),
       "suite.toml:18: 'task' has no value 'arcee'; did you mean 'arce'?");
  says(with("\"batch\"", "\"bacth\""), "suite.toml:2: 'baselines' has no 'bacth'; did you mean 'batch'?");
  says(with("path = \"m.gguf\"", "path = \"n.gguf\""),
       "suite.toml:9: 'path': there is no 'n.gguf'; paths are relative to the suite's folder");
  says(with("data = \"dev.tsv\"", "data = \"deev.tsv\""),
       "suite.toml:13: 'data': there is no 'deev.tsv'; paths are relative to the suite's folder");
  says(with("heads-{model}", "heads-{task}"),
       "suite.toml:36: 'file': there is no 'heads-sst2.json'; paths are relative to the suite's folder");
  says(with("name = \"easy\"", "name = \"sst2\""),
       "suite.toml:19: 'name' 'sst2' is there twice; give one another name");
  says(with("tasks = [\"sst2\"", "tasks = [\"sst3\""),
       "suite.toml:29: 'tasks' names 'sst3', which the suite doesn't have; did you mean 'sst2'?");
  says(with("labelled = 20", ""),
       "suite.toml:30: the search of 'found' needs 'labelled' samples of task 'sst2'; give a number there or "
       "in "
       "[defaults]");
  says(with("shot_data = \"train.tsv\"\n", ""),
       "suite.toml:11: [[task]] 'sst2' has shots, so it needs 'shot_data' that they come from");
  says(with("data = \"squad.json\"", "data = \"squad.json\"\nscoring = \"letters\""),
       "suite.toml:26: 'scoring' doesn't apply to squad, whose answers are generated");
  says(with("limit = 0", "scoring = \"labels\""),
       "suite.toml:21: task 'arce' is scored by letters, greedy or likelihood, not labels");
  says(with("objective = \"likelihood\"", "objective = \"likelyhood\""),
       "suite.toml:32: 'objective' has no value 'likelyhood'; did you mean 'likelihood'?");
  CHECK(files.error_of(with("select = \"top:15\"", "select = \"best:15\"")).starts_with("suite.toml:31: "));
  CHECK(files.error_of(with("beta = 0.2", "beat = 0.2")).starts_with("suite.toml:37: "));
  says(with("file = \"heads-{model}.json\"\n", ""),
       "suite.toml:34: [[heads]] 'given' needs either 'file' or a [heads.search], and has neither");
  CHECK(files.error_of(with("seed = 3", "seed = ")).starts_with("suite.toml:1: isn't TOML: "));
  says("", "suite.toml: has no [[model]]");
}

TEST_CASE("heads of different models may share a name, those of one may not") {
  const suite_folder files;
  (void)files.folder.write("heads-n.json", "x");
  (void)files.folder.write("n.gguf", "x");
  const std::string more =
      whole + "[[model]]\npath = \"n.gguf\"\n[[heads]]\nname = \"given\"\nfile = \"heads-n.json\"\n";
  CHECK(files.error_of(more) ==
        "suite.toml:41: 'name' 'given' is there twice for one model; give one another name");
  std::string apart = more + "models = [\"n\"]\n";
  const std::string given = "name = \"given\"\nfile = \"heads-{model}.json\"\n";
  apart.insert(apart.find(given), "models = [\"m\"]\n");
  CHECK(files.error_of(apart) == "");
}

TEST_CASE("a missing suite file is named") {
  CHECK(act_test::message_of([] {
          (void)act::suite::read_suite("no-such-suite.toml");
        }).starts_with("no-such-suite.toml: "));
}
