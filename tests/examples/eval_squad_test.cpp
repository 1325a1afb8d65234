// act-eval --task squad as a process: prompts, generated text, scores, and what doesn't fit the task.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <act/runtime/generate.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/tasks/squad_metrics.hpp>

#include <csignal>
#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::parsed_lines;
using act_test::run_program;
using nlohmann::json;

namespace {

// A paragraph with three questions and one with a single question; version 2.0 has one without answer.
std::string tiny_squad(bool second_version) {
  const auto question = [](const std::string& id, const std::string& text, const json& answers) {
    json asked{{"id", id}, {"question", text}, {"answers", json::array()}};
    for (const auto& answer : answers)
      asked["answers"].push_back({{"text", answer}, {"answer_start", 0}});
    return asked;
  };
  json impossible = question("q2", "Why?", json::array());
  impossible["is_impossible"] = true;
  json first{{"context", "Tom had a red ball."},
             {"qas", {question("q0", "Who?", {"Tom", "tom!"}), question("q1", "What?", {"a red ball"})}}};
  if (second_version) first["qas"].push_back(impossible);
  const json second{{"context", "Sue ran."}, {"qas", {question("q3", "Who ran?", {"Sue"})}}};
  return json{{"version", "x"}, {"data", {{{"title", "A_red_ball"}, {"paragraphs", {first, second}}}}}}
      .dump();
}

std::vector<std::string> squad_arguments(const std::string& data, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"--model", act_test::tiny_model, "--task", "squad", "--data", data});
  return more;
}

}  // namespace

TEST_CASE("squad: the prompt's greedy continuation to the first newline, plain and calibrated") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("dev.json", tiny_squad(true));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const auto run = run_program(
      "act-eval", squad_arguments(data, {"--heads", heads, "--max-new-tokens", "9", "--json",
                                         folder / "result.json", "--predictions", folder / "lines.jsonl"}));
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  const json result = parsed(folder / "result.json");
  CHECK(result["task"] == "squad");
  CHECK(result["version"] == "2.0");
  CHECK(result["n"] == 4);
  CHECK(result["max_new_tokens"] == 9);
  CHECK(result["baseline"]["has_answer"]["n"] == 3);
  CHECK(result["baseline"]["no_answer"]["n"] == 1);
  CHECK(result["baseline"]["f1_ci95"].size() == 2);
  CHECK(result["difference"]["exact_match_ci95"].size() == 2);
  CHECK(result["provenance"].contains("version"));
  CHECK(run.out.find("unanswerable") != std::string::npos);

  const act::runtime::loaded_model loaded = act::runtime::load_model(act_test::tiny_model);
  act::runtime::model_calibration calibration;
  for (const auto& [layer, head] : {std::pair{1, 0}, {1, 2}, {2, 3}, {3, 1}})
    calibration.heads.insert(static_cast<std::size_t>(layer), static_cast<std::size_t>(head));
  const std::string instruction =
      "Answer question using information in the preceding background paragraph. If there is not enough "
      "information provided, answer with \"Not in background.\"\n\nTitle: A red ball\n\nBackground: ";
  const std::vector<std::string> prompts{
      instruction + "Tom had a red ball.\n\nQ: Who?\n\nA:",
      instruction + "Tom had a red ball.\n\nQ: What?\n\nA:",
      instruction + "Tom had a red ball.\n\nQ: Why?\n\nA:", instruction + "Sue ran.\n\nQ: Who ran?\n\nA:"};
  const std::vector<json> lines = parsed_lines(folder / "lines.jsonl");
  REQUIRE(lines.size() == 4);
  double f1 = 0, exact = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(i);
    const std::vector<act::runtime::token_id> tokens = lines[i]["prompt_tokens"];
    CHECK(tokens == loaded.tokenizer->encode(prompts[i]));
    CHECK(lines[i]["index"] == i);
    CHECK(lines[i]["id"] == "q" + std::to_string(i));
    for (const bool calibrated : {false, true}) {
      const json& answered = lines[i][calibrated ? "calibrated" : "baseline"];
      const act::runtime::generation made =
          act::runtime::generate(loaded.model, *loaded.tokenizer, tokens,
                                 calibrated ? calibration : act::runtime::model_calibration{},
                                 {.max_new_tokens = 9}, [](std::string_view) {});
      CHECK(answered["text"] == act::tasks::generated_answer(made.text));
      const std::vector<std::string> gold = lines[i]["answers"];
      const act::tasks::squad_score score = act::tasks::score_prediction(answered["text"].get<std::string>(),
                                                                         gold, act::tasks::squad_rules::v2);
      CHECK(answered["exact_match"] == score.exact_match);
      CHECK(answered["f1"] == score.f1);
      if (!calibrated) f1 += score.f1 / 4, exact += score.exact_match / 4;
    }
  }
  CHECK(lines[2]["answers"].empty());
  CHECK(result["baseline"]["f1"].get<double>() == doctest::Approx(f1));
  CHECK(result["baseline"]["exact_match"].get<double>() == doctest::Approx(exact));
}

TEST_CASE("squad: shots are the paragraph's first other questions, fewer where it has fewer") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("dev.json", tiny_squad(true));
  const auto run = run_program(
      "act-eval", squad_arguments(data, {"--shots", "2", "--max-new-tokens", "2", "--json",
                                         folder / "result.json", "--predictions", folder / "lines.jsonl"}));
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(parsed(folder / "result.json")["shots"]["count"] == 2);
  const act::runtime::loaded_model loaded = act::runtime::load_model(act_test::tiny_model);
  const std::vector<json> lines = parsed_lines(folder / "lines.jsonl");
  REQUIRE(lines.size() == 4);
  const auto text = [&](std::size_t i) {
    const std::vector<act::runtime::token_id> tokens = lines[i]["prompt_tokens"];
    return loaded.tokenizer->decode(tokens, true);
  };
  const std::string who = "Q: Who?\n\nA: Tom\n\n", what = "Q: What?\n\nA: a red ball\n\n";
  const std::string why = "Q: Why?\n\nA: Not in background.\n\n";
  CHECK(text(0).ends_with(what + why + "Q: Who?\n\nA:"));
  CHECK(text(1).ends_with(who + why + "Q: What?\n\nA:"));
  CHECK(text(2).ends_with(who + what + "Q: Why?\n\nA:"));
  CHECK(text(3).ends_with("Background: Sue ran.\n\nQ: Who ran?\n\nA:"));
}

TEST_CASE("squad: version 1.1 has no unanswerable part, and --limit chooses as everywhere") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("dev.json", tiny_squad(false));
  const auto run = run_program("act-eval", squad_arguments(data, {"--limit", "2", "--max-new-tokens", "2",
                                                                  "--json", folder / "result.json"}));
  REQUIRE(run.exit_code == 0);
  const json result = parsed(folder / "result.json");
  CHECK(result["version"] == "1.1");
  CHECK(result["n"] == 2);
  CHECK(!result["baseline"].contains("no_answer"));
  CHECK(run.out.find("answerable") == std::string::npos);
  CHECK(!result.contains("difference"));
}

TEST_CASE("squad: a prompt that leaves an answer no room, and options that don't fit") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("dev.json", tiny_squad(true));
  const auto refused = [&](std::vector<std::string> more, int code, const std::string& names) {
    const auto run = run_program("act-eval", squad_arguments(data, more));
    CAPTURE(run.err);
    CHECK(run.exit_code == code);
    CHECK(run.err.find(names) != std::string::npos);
    CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
  };
  refused({"--max-new-tokens", "200"}, 1, "its answer up to 200");
  refused({"--max-new-tokens", "256"}, 2, "max-new-tokens");
  refused({"--scoring", "greedy"}, 2, "--scoring");
  refused({"--heads", "all", "--redistribution", "uniform"}, 1, "--redistribution proportional");
  refused({"--prior", "contextual"}, 2, "--prior");
  refused({"--shots", "1", "--shot-data", data}, 2, "--shot-data");
  refused({"--shots", "1", "--shot-seeds", "2"}, 2, "--shot-seeds");
  const auto cut = run_program("act-eval", squad_arguments(data, {"--max-new-tokens", "200", "--long-prompts",
                                                                  "truncate-left", "--limit", "1"}));
  CHECK(cut.exit_code == 0);
  CHECK(cut.out.find("1 prompts cut") != std::string::npos);
  const std::string lines = folder.write("data.jsonl", act_test::tiny_jsonl(3));
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--max-new-tokens", "5"}, {"--shots", "2"}}) {
    std::vector<std::string> arguments{"--model", act_test::tiny_model, "--task", "jsonl", "--data", lines};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto other = run_program("act-eval", arguments);
    CHECK(other.exit_code == 2);
    CHECK(other.err.find(more.front()) != std::string::npos);
  }
}

TEST_CASE("squad: interrupted between tokens, the answers before are kept beside") {
  const act_test::temporary_folder folder;
  std::string text;
  json many = json::parse(tiny_squad(true));
  for (int i = 0; i < 400; ++i)
    many["data"].push_back(many["data"][0]);
  const std::string data = folder.write("dev.json", many.dump());
  const auto start = std::chrono::steady_clock::now();
  const auto run = run_program(
      "act-eval",
      squad_arguments(
          data, {"--json", folder / "result.json", "--predictions", folder / "lines", "--heads", "all"}),
      act_test::interruption{.signal = SIGINT, .when = [&] {
                               return std::chrono::steady_clock::now() - start > std::chrono::seconds(1);
                             }});
  CHECK(run.exit_code == 130);
  CHECK(!std::filesystem::exists(folder / "result.json"));
  if (run.err == "act-eval: interrupted\n") {
    MESSAGE("[skipped] nothing had been answered within a second");
    return;
  }
  const json result = parsed(folder / "result.json.partial");
  const std::size_t answered = result["n"];
  CHECK(answered > 0);
  CHECK(answered < result["interrupted"]["samples"]);
  CHECK(act_test::parsed_lines(folder / "lines.partial").size() == answered);
  CHECK(result.contains("difference"));
  CHECK(run.err.find("interrupted; " + std::to_string(answered) + " of ") != std::string::npos);
}
