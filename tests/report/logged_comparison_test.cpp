// Runs from files, act-eval's and lm-eval's, and their comparison.
#include <act/error.hpp>
#include <act/report/predictions/logged_comparison.hpp>
#include <act/report/predictions/logged_samples.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "temporary_folder.hpp"

using act::report::compare_logged;
using act::report::logged_run;
using act::report::parse_logged_run;

namespace {

// A run of lm-eval: 1 right, 0 wrong, one character a sample.
std::string logged(const std::string& answers, const std::string& metric = "acc",
                   const std::string& hash = "h") {
  std::string text;
  for (std::size_t k = 0; k < answers.size(); ++k) {
    const std::string number = std::to_string(k);
    text += R"({"doc_id": )" + number +
            R"(, "doc": {"x": 1}, "target": "a", "resps": [[["-1.0", "False"]]], )" +
            R"("filter": "none", "metrics": [")" + metric + R"("], "doc_hash": ")" + hash + number +
            R"(", ")" + metric + R"(": )" + answers[k] + ".0}\n";
  }
  return text;
}

const std::string ours =
    R"({"index":0,"label":1,"prompt":"a","baseline":{"prediction":0,"scores":[1,0]},"calibrated":{"prediction":1,"scores":[0,1]}})"
    "\n"
    R"({"index":2,"label":0,"prompt":"b","baseline":{"prediction":0,"scores":[1,0]},"calibrated":{"prediction":null,"scores":[0,1]}})"
    "\n";

}  // namespace

TEST_CASE("lm-eval's samples and act-eval's predictions say which samples are right") {
  const logged_run theirs =
      parse_logged_run(logged("101"), "samples_arc_easy_2026-01-31T12-00-00.123456.jsonl");
  CHECK(theirs.task == "arc_easy");
  CHECK(theirs.metric == "acc");
  REQUIRE(theirs.samples.size() == 3);
  CHECK(theirs.samples.at(0).right);
  CHECK(!theirs.samples.at(1).right);
  CHECK(theirs.samples.at(2).hash == "h2");
  CHECK(parse_logged_run(logged("1"), "samples_mmlu_world_religions.jsonl").task == "mmlu_world_religions");
  CHECK(parse_logged_run(logged("1", "f1"), "x.jsonl").metric == "f1");

  const logged_run calibrated = parse_logged_run(ours, "p.jsonl");
  CHECK(calibrated.metric == "calibrated");
  CHECK(calibrated.samples.at(0).right);
  CHECK(!calibrated.samples.at(2).right);  // none of the answers
  const logged_run plain = parse_logged_run(ours, "p.jsonl", {.metric = "baseline", .filter = {}});
  CHECK(!plain.samples.at(0).right);
  CHECK(plain.samples.at(2).right);
}

TEST_CASE("several filters of a sample are told apart") {
  const std::string strict = R"({"doc_id":0,"filter":"strict","metrics":["exact_match"],"exact_match":0})";
  const std::string loose = R"({"doc_id":0,"filter":"flexible","metrics":["exact_match"],"exact_match":1})";
  CHECK(!parse_logged_run(strict + "\n" + loose, "f").samples.at(0).right);
  CHECK(
      parse_logged_run(strict + "\n" + loose, "f", {.metric = {}, .filter = "flexible"}).samples.at(0).right);
  CHECK_THROWS_WITH_AS((void)parse_logged_run(strict, "f", {.metric = {}, .filter = "none"}),
                       doctest::Contains("none of filter"), act::error);
}

TEST_CASE("lines that say nothing of the kind are refused, with the line") {
  const auto refuses = [](const std::string& text, const std::string& words, const std::string& metric = {}) {
    CHECK_THROWS_WITH_AS((void)parse_logged_run(text, "f.jsonl", {.metric = metric, .filter = {}}),
                         doctest::Contains(words.c_str()), act::error);
  };
  refuses("", "no samples");
  refuses("{}", "f.jsonl:1: is neither");
  refuses("[1]", "f.jsonl:1: is neither");
  refuses(logged("1") + "{\"doc_id\": 1", "f.jsonl:2");
  refuses(logged("1") + logged("1"), "f.jsonl:2: sample 0 comes a second time");
  refuses(R"({"doc_id":0,"metrics":["acc"],"acc":0.5})", "isn't 0 or 1");
  refuses(R"({"doc_id":0,"metrics":["acc"]})", "has no \"acc\"");
  refuses(R"({"doc_id":0})", "names no metric");
  refuses(logged("1"), "has no \"bleu\"", "bleu");
  refuses(R"({"doc_id":-1,"acc":1})", "neither");
  refuses(R"({"index":0,"label":1,"baseline":{}})", "no prediction");
  refuses(R"({"index":0,"label":1,"shot_seed":3,"baseline":{"prediction":1}})", "--shots");
}

TEST_CASE("a comparison counts, and says what the samples could have shown") {
  //                     gained: 8, lost: 1, of 40
  const std::string a =
      "0000000010"
      "1111111111"
      "0101010101"
      "0000011111";
  const std::string b =
      "1111111100"
      "1111111111"
      "0101010101"
      "0000011111";
  const auto made = compare_logged({parse_logged_run(logged(a), "samples_t.jsonl")},
                                   {parse_logged_run(logged(b), "other.jsonl")}, 0.05, 0);
  REQUIRE(made.tasks.size() == 1);
  const act::report::logged_task& task = made.tasks[0];
  CHECK(task.task == "t");
  CHECK(task.n == 40);
  CHECK(task.right_a == 21);
  CHECK(task.right_b == 28);
  CHECK(task.pairs.gained == 8);
  CHECK(task.pairs.lost == 1);
  CHECK(task.p == doctest::Approx(0.0390625));  // 2 (1 + 9) / 2^9
  CHECK(task.is_discovery);
  CHECK(task.difference.lo <= 7.0 / 40);
  CHECK(task.difference.hi >= 7.0 / 40);
  CHECK(task.detectable > 0.15);
  const std::string text = comparison_text(made);
  CHECK(text.find("+17.5 %") != std::string::npos);
  CHECK(text.find("+8 -1") != std::string::npos);
  CHECK(comparison_json(made).text().find("\"gained\":8") != std::string::npos);
}

TEST_CASE("samples and tasks that one run lacks are left out and named, other data is refused") {
  const auto made = compare_logged(
      {parse_logged_run(logged("1010"), "samples_t.jsonl"), parse_logged_run(logged("1"), "samples_u.jsonl")},
      {parse_logged_run(logged("111"), "samples_t.jsonl"), parse_logged_run(logged("1"), "samples_v.jsonl")},
      0.05, 0);
  REQUIRE(made.tasks.size() == 1);
  CHECK(made.tasks[0].n == 3);
  CHECK(made.tasks[0].only_a == 1);
  CHECK(made.unmatched == std::vector<std::string>{"u", "v"});
  CHECK(comparison_text(made).find("u: only one of the runs has it") != std::string::npos);
  const auto run = [](const std::string& text, const std::string& name) {
    return std::vector<logged_run>{parse_logged_run(text, name)};
  };
  CHECK_THROWS_WITH_AS(
      (void)compare_logged(run(logged("1"), "a"), run(logged("1", "acc", "g"), "b"), 0.05, 0),
      doctest::Contains("doc_hash"), act::error);
  CHECK_THROWS_WITH_AS(
      (void)compare_logged(run(ours, "a"), run(R"({"index":9,"label":1,"baseline":{"prediction":1}})", "b"),
                           0.05, 0),
      doctest::Contains("no sample in common"), act::error);
}

TEST_CASE("over many tasks false discoveries are controlled") {
  // Ten tasks: one with p = 2 / 2^12, nine with p = 0.04 that alone would count.
  std::vector<logged_run> a, b;
  for (int task = 0; task < 10; ++task) {
    const std::string name = "samples_t" + std::to_string(task) + ".jsonl";
    a.push_back(parse_logged_run(logged(task == 0 ? std::string(12, '0') : "000000001"), name));
    b.push_back(parse_logged_run(logged(task == 0 ? std::string(12, '1') : "111111110"), name));
  }
  const auto made = compare_logged(a, b, 0.03, 0);
  CHECK(made.tasks[0].is_discovery);
  for (std::size_t task = 1; task < 10; ++task) {
    CHECK(made.tasks[task].p == doctest::Approx(0.0390625));
    CHECK(!made.tasks[task].is_discovery);
  }
  CHECK(comparison_text(made).find("* 1 of 10 tasks differ") != std::string::npos);
}

TEST_CASE("of a folder's runs of a task the latest counts") {
  const act_test::temporary_folder folder;
  (void)folder.write("samples_t_2026-01-31T12-00-00.1.jsonl", logged("11"));
  (void)folder.write("samples_t_2026-02-01T12-00-00.1.jsonl", logged("00"));
  (void)folder.write("samples_u_2026-02-01T12-00-00.1.jsonl", logged("1"));
  (void)folder.write("results_2026.json", "{}");
  const std::vector<logged_run> runs = act::report::read_logged_runs(folder.path().string());
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].task == "t");
  CHECK(!runs[0].samples.at(0).right);
  CHECK(runs[1].task == "u");
  const act_test::temporary_folder empty;
  CHECK_THROWS_WITH_AS((void)act::report::read_logged_runs(empty.path().string()),
                       doctest::Contains("--log_samples"), act::error);
}
