// act-eval --task ppl as a process, against PyTorch (tests/golden/perplexity/).
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

const std::string golden_folder = std::string(ACT_TEST_GOLDEN_DIR) + "/perplexity/";

act_test::process_result perplexity(std::vector<std::string> more) {
  more.insert(more.begin(), {"--model", act_test::tiny_model, "--task", "ppl"});
  return run_program("act-eval", more);
}

}  // namespace

TEST_CASE("perplexity equals PyTorch's within 1e-4, plain and calibrated") {
  const act_test::temporary_folder folder;
  const json golden = parsed(golden_folder + "golden.json");
  const std::string heads = folder.write("heads.json", json{{"heads", golden["heads"]}}.dump());
  for (const json& expected : golden["perplexity"]) {
    CAPTURE(expected);
    const auto run =
        perplexity({"--data", golden_folder + "text.txt", "--heads", heads, "--context",
                    std::to_string(expected["context"].get<int>()), "--stride",
                    std::to_string(expected["stride"].get<int>()), "--json", folder / "result.json"});
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    const json result = parsed(folder / "result.json");
    CHECK(result["task"] == "ppl");
    CHECK(result["tokens"] == golden["tokens"]);
    CHECK(result["counted"] == expected["counted"]);
    const double plain = result["baseline"]["perplexity"];
    const double calibrated = result["calibrated"]["perplexity"];
    CHECK(plain == doctest::Approx(expected["plain"].get<double>()).epsilon(1e-4));
    CHECK(calibrated == doctest::Approx(expected["calibrated"].get<double>()).epsilon(1e-4));
    CHECK(result["difference"]["perplexity"].get<double>() == doctest::Approx(calibrated - plain));
    if (result["windows"] == 1) {
      CHECK(result["difference"]["ci95"].is_null());
    } else {
      CHECK(result["difference"]["ci95"][0] < result["difference"]["ci95"][1]);
    }
    CHECK(result["provenance"].contains("version"));
  }
}

TEST_CASE("perplexity without heads is plain only, and the model's context is the default") {
  const act_test::temporary_folder folder;
  const auto run = perplexity({"--data", golden_folder + "text.txt", "--json", folder / "result.json"});
  REQUIRE(run.exit_code == 0);
  const json result = parsed(folder / "result.json");
  CHECK(result["context"] == 256);
  CHECK(result["stride"] == 128);
  CHECK(!result.contains("calibrated"));
  CHECK(!result.contains("difference"));
}

TEST_CASE("a text that goes by token by token scores as in one window, until the cache forgets") {
  const act_test::temporary_folder folder;
  const std::string text = folder.write(
      "text.txt",
      "the weather or what people ask of a long and winding road the weather or what people ask of it");
  const auto result = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--data", text, "--json", folder / "result.json"});
    const auto run = perplexity(more);
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    return parsed(folder / "result.json");
  };
  const json whole = result({});
  REQUIRE(whole["windows"] == 1);
  const json all = result({"--cache", "all"});
  const json wide = result({"--cache", "window:250+sinks:4", "--block", "7"});
  const json narrow = result({"--cache", "window:5+sinks:1"});
  const json halves = result({"--cache", "all", "--cache-type", "f16"});
  CHECK(halves["cache_type"] == "f16");
  CHECK(all["cache_type"] == "f32");
  CHECK(wide["cache"] == "window:250+sinks:4");
  CHECK_FALSE(wide.contains("context"));
  double sum = 0;
  int tokens = 0;
  for (const json& block : wide["blocks"]) {
    CHECK(block["tokens"] <= 7);
    tokens += block["tokens"].get<int>();
    sum += block["tokens"].get<int>() * block["log_probability"].get<double>();
  }
  CHECK(tokens == whole["counted"]);
  const double plain = whole["baseline"]["log_probability"];
  CHECK(sum / tokens == doctest::Approx(plain).epsilon(1e-5));
  CHECK(all["baseline"]["log_probability"].get<double>() == doctest::Approx(plain).epsilon(1e-5));
  CHECK(halves["baseline"]["log_probability"].get<double>() == doctest::Approx(plain).epsilon(1e-3));
  CHECK(halves["baseline"]["log_probability"] != all["baseline"]["log_probability"]);
  CHECK(std::abs(narrow["baseline"]["log_probability"].get<double>() - plain) > 1e-3);
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--cache", "window:0"},
                                                {"--cache", "window:250+sinks:7"},
                                                {"--cache", "all", "--stride", "4"},
                                                {"--cache-type", "f16"},
                                                {"--block", "4"}}) {
    std::vector<std::string> arguments = wrong;
    arguments.insert(arguments.end(), {"--data", text});
    const auto run = perplexity(arguments);
    CAPTURE(run.err);
    CHECK(run.exit_code == 2);
  }
}

TEST_CASE("--cache reference-heads: the memory it saves, and its perplexity beside that of all keys") {
  const act_test::temporary_folder folder;
  std::string words, few;
  for (int i = 0; i < 60; ++i)
    words += "what people ask of a long and winding road, number " + std::to_string(i * i) + ". ";
  for (int i = 0; i < 6; ++i)
    few += "the weather or what people ask of the road ";
  const std::string text = folder.write("text.txt", words), data = folder.write("few.txt", few);
  const auto run = perplexity({"--data", data, "--cache", "reference-heads:1", "--cache-text", text,
                               "--block", "20", "--json", folder / "r.json"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find("the cache keeps the keys of 1 of 2 key heads: ") != std::string::npos);
  CHECK(run.out.find("all keys kept") != std::string::npos);
  CHECK(run.out.find("reference heads") != std::string::npos);
  const json result = parsed(folder / "r.json");
  CHECK(result["cache"] == "reference-heads:1");
  CHECK(result["cache_text"]["sha256"].get<std::string>().size() == 64);
  CHECK(4 * result["bytes_a_token"].get<int>() == 3 * result["all_bytes_a_token"].get<int>());
  CHECK(result["reference_heads"]["perplexity"] > 0.0);
  CHECK(result["reference_heads"]["perplexity"] != result["baseline"]["perplexity"]);
  CHECK(result["difference"]["ci95"].size() == 2);
  // With all keys kept it is what --cache all says.
  REQUIRE(perplexity({"--data", data, "--cache", "all", "--json", folder / "all.json"}).exit_code == 0);
  CHECK(result["baseline"]["perplexity"].get<double>() ==
        doctest::Approx(parsed(folder / "all.json")["baseline"]["perplexity"].get<double>()).epsilon(1e-9));
  CHECK(perplexity({"--data", data, "--cache", "reference-heads:1", "--cache-text", text, "--block", "20",
                    "--threads", "3"})
            .out == run.out);

  const auto made = run_program(
      "act-generate", {"--model", act_test::tiny_model, "--prompt", "the road", "--max-new-tokens", "6",
                       "--cache", "reference-heads:1", "--cache-text", text, "--json", folder / "g.json"});
  REQUIRE(made.exit_code == 0);
  CHECK(made.err.find("the cache keeps the keys of 1 of 2 key heads") != std::string::npos);
  CHECK(parsed(folder / "g.json")["cache"] == "reference-heads:1");

  // Of a task the same, beside what it says without a cache.
  const std::string samples = folder.write("samples.jsonl", act_test::tiny_jsonl(30));
  const auto task = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--model", act_test::tiny_model, "--task", "jsonl", "--data", samples,
                               "--limit", "20", "--quiet"});
    return run_program("act-eval", more);
  };
  const std::vector<std::string> through{"--cache", "reference-heads:1", "--cache-text", text};
  const auto also = [&](std::vector<std::string> more) {
    more.insert(more.begin(), through.begin(), through.end());
    return task(more);
  };
  const auto accuracies = also({"--json", folder / "task.json"});
  CAPTURE(accuracies.err);
  REQUIRE(accuracies.exit_code == 0);
  CHECK(accuracies.out.find("the cache keeps the keys of 1 of 2 key heads: ") != std::string::npos);
  CHECK(accuracies.out.find("reference heads") != std::string::npos);
  REQUIRE(task({"--json", folder / "plain.json"}).exit_code == 0);
  const json cached = parsed(folder / "task.json");
  CHECK(cached["baseline"] == parsed(folder / "plain.json")["baseline"]);
  CHECK(cached["reference_heads"]["auc"] != cached["baseline"]["auc"]);
  CHECK(cached["difference"]["accuracy"].get<double>() ==
        doctest::Approx(cached["reference_heads"]["accuracy"].get<double>() -
                        cached["baseline"]["accuracy"].get<double>()));
  CHECK(cached["cache_text"]["file"] == text);
  act_test::check_one_line(task({"--cache", "window:8"}), 2, "--task ppl");
  act_test::check_one_line(task({"--cache", "reference-heads:1"}), 2, "--cache-text");
  act_test::check_one_line(task({"--cache-text", text}), 2, "needs --cache");
  act_test::check_one_line(also({"--scoring", "greedy"}), 2, "not by greedy");
  act_test::check_one_line(also({"--cache-type", "f16"}), 2, "--cache-type: '");
  act_test::check_one_line(also({"--prior", "batch"}), 2, "--prior: isn't for --cache");
  act_test::check_one_line(
      run_program("act-eval", {"--model", folder / "no.gguf", "--task", "squad", "--data", folder / "no.json",
                               "--cache", "reference-heads:1", "--cache-text", text}),
      2, "not by generated answers");

  act_test::check_one_line(perplexity({"--data", data, "--cache", "reference-heads:1"}), 2, "--cache-text");
  // Before a file is opened, so before maps are fitted.
  for (const char* policy : {"reference-heads:1", "window:5"}) {
    std::vector<std::string> halves{"--model", folder / "none.gguf", "--cache",
                                    policy,    "--cache-type",       "f16"};
    if (std::string(policy) == "reference-heads:1")
      halves.insert(halves.end(), {"--cache-text", folder / "none.txt"});
    std::vector<std::string> text_of_it = halves;
    text_of_it.insert(text_of_it.end(), {"--task", "ppl", "--data", folder / "none.txt"});
    act_test::check_one_line(run_program("act-eval", text_of_it), 2, "--cache-type: '");
    halves.insert(halves.end(), {"--prompt", "the road"});
    act_test::check_one_line(run_program("act-generate", halves), 2, "--cache-type: '");
  }
  // Fewer tokens than a map has numbers are fitted exactly, whatever they are.
  for (const char* words_of_it : {"", "the road"}) {
    act_test::check_one_line(perplexity({"--data", data, "--cache", "reference-heads:1", "--cache-text",
                                         folder.write("short.txt", words_of_it)}),
                             1, "short.txt: has ");
  }
  act_test::check_one_line(perplexity({"--data", data, "--cache", "all", "--cache-text", text}), 2,
                           "--cache-text");
  act_test::check_one_line(perplexity({"--data", data, "--cache", "reference-heads:2", "--cache-text", text}),
                           1, "2 key heads; keep fewer");
  act_test::check_one_line(perplexity({"--data", data, "--cache", "reference-heads:1", "--cache-text", text,
                                       "--heads", folder.write("h.json", act_test::tiny_heads)}),
                           2, "--heads");
  act_test::check_one_line(perplexity({"--data", text, "--cache", "reference-heads:1", "--cache-text", text}),
                           1, "the model's context is 256");
}

TEST_CASE("perplexity: bad texts, windows and options that don't belong to it") {
  const act_test::temporary_folder folder;
  const std::string text = golden_folder + "text.txt";
  const auto check = [](const act_test::process_result& run, int code, const std::string& names) {
    CAPTURE(run.err);
    CHECK(run.exit_code == code);
    CHECK(run.err.find(names) != std::string::npos);
  };
  check(perplexity({"--data", folder.write("empty.txt", "")}), 1, "empty.txt");
  check(perplexity({"--data", folder.write("bytes.txt", "fine \xFF")}), 1, "bytes.txt");
  check(perplexity({"--data", text, "--context", "257"}), 2, "--context");
  check(perplexity({"--data", text, "--context", "16", "--stride", "17"}), 2, "--stride");
  check(perplexity({"--data", text, "--limit", "5"}), 2, "--limit");
  check(perplexity({"--data", text, "--predictions", folder / "lines"}), 2, "--predictions");
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(3));
  check(run_program("act-eval",
                    {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data, "--stride", "8"}),
        2, "--stride");
}
