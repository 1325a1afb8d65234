// What a user of other tools does first: a misspelt option, a negative number, a pipe, a full disk; a look at
// the prompts. Each as a process.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "examples/chat_model.hpp"
#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"
#include "sanitized.hpp"

using act_test::check_one_line;
using act_test::run_program;
using nlohmann::json;

namespace {

const std::vector<std::string> programs = {"act-eval",     "act-search",  "act-compare",
                                           "act-generate", "act-inspect",
#ifdef ACT_TEST_SERVE
                                           "act-serve"
#endif
};

act_test::process_result eval(const std::string& data, std::vector<std::string> more,
                              const std::string& model = act_test::tiny_model) {
  more.insert(more.begin(), {"--model", model, "--task", "jsonl", "--data", data});
  return run_program("act-eval", more);
}

act_test::process_result generate(std::vector<std::string> more, const std::string& input = {}) {
  more.insert(more.begin(), {"--model", act_test::tiny_model});
  return run_program("act-generate", more, {}, input);
}

// With what a shell does around it: redirections.
act_test::process_result shell(const std::string& command) {
  return run_program("/bin/sh", {"-c", "PATH='" ACT_TEST_PROGRAMS "':$PATH; " + command});
}

}  // namespace

TEST_CASE("an option that there isn't: the nearest one is named") {
  const auto says = [](const std::string& program, const std::vector<std::string>& arguments,
                       const std::string& nearest) {
    CAPTURE(arguments);
    const auto run = run_program(program, arguments);
    check_one_line(run, 2,
                   nearest.empty() ? "'" + arguments.front() + "' is no option of " + program + "; --help"
                                   : "'" + arguments.front() + "' is no option of " + program +
                                         "; the nearest is " + nearest + ";");
  };
  // Before what is missing: '--model is required' would be no help.
  says("act-eval", {"--modle", "x.gguf"}, "--model");
  says("act-eval", {"--limt", "3"}, "--limit");
  says("act-eval", {"--prediction", "x"}, "--predictions");
  says("act-eval", {"-task", "sst2"}, "--task");
  says("act-search", {"--sample", "3"}, "--samples");
  says("act-search", {"--strat", "racing"}, "--strategy");
  says("act-generate", {"--max_new_tokens", "3"}, "--max-new-tokens");
  says("act-inspect", {"--htlm", "x"}, "--html");
  // What llama.cpp's and lm-eval's programs call it.
  says("act-generate", {"-m", "x.gguf"}, "--model");
  says("act-generate", {"-n", "20"}, "--max-new-tokens");
  says("act-generate", {"--temp", "0.7"}, "--temperature");
  says("act-eval", {"--tasks", "sst2"}, "--task");
  says("act-eval", {"--num_fewshot", "5"}, "--shots");
  says("act-eval", {"--log_samples"}, "--predictions");
  says("act-eval", {"--write_out"}, "--show-prompts");
  says("act-eval", {"--zzzzzzzz"}, "");
  const auto assigned = run_program("act-eval", {"--limt=3"});
  check_one_line(assigned, 2, "'--limt' is no option");
  check_one_line(run_program("act-eval", {"x.gguf"}), 2, "'x.gguf' follows no option that takes it");
}

TEST_CASE("every number that counts refuses what is below 0, and says what it can be") {
  for (const std::string& program : programs) {
    const std::string help = run_program(program, {"--help"}).out;
    for (const char* option : {"--limit", "--samples", "--seed", "--threads", "--shots", "--shot-seeds",
                               "--max-new-tokens", "--context", "--stride", "--block", "--max-windows",
                               "--show-prompts", "--top", "--top-k", "--min-visible-rows", "--verify-best"}) {
      if (help.find(std::string("  ") + option + " ") == std::string::npos) continue;
      for (const char* value : {"-1", "-3000000000", "x", "1.5"}) {
        CAPTURE(program);
        const auto run = run_program(program, {option, value});
        check_one_line(run, 2, option);
        CHECK(run.err.find(value) != std::string::npos);
      }
    }
  }
}

TEST_CASE("options of calibration that would do nothing are refused by name") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const auto refused = [&](const std::vector<std::string>& more, const std::string& says) {
    std::vector<std::string> arguments{
        "--model", act_test::tiny_model, "--task", "jsonl", "--data", data, "--heads", heads};
    arguments.insert(arguments.end(), more.begin(), more.end());
    act_test::check_one_line(run_program("act-eval", arguments), 2, says);
  };
  refused({"--tau", "0.9"}, "--tau: is for --rule absolute");
  refused({"--rule", "absolute", "--alpha", "50"}, "--alpha: is for other rules than absolute");
  for (const char* temperature : {"temperature", "inverse-temperature"}) {
    refused({"--redistribution", temperature, "--beta", "0.1"}, "--beta: has no meaning with a temperature");
    refused({"--redistribution", temperature, "--alpha", "3"}, "--alpha: says what a sink is; a temperature");
    refused({"--redistribution", temperature, "--min-visible-rows", "2"}, "--min-visible-rows: says what");
  }
}

TEST_CASE("numbers that no option can hold are refused") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--seed", "99999999999999999999999"},
                                             {"--min-visible-rows", "99999999999999999999"},
                                             {"--progress-every", "-3"},
                                             {"--progress-every", "nan"}}) {
    CAPTURE(wrong.front());
    std::vector<std::string> arguments{"--model", act_test::tiny_model, "--task", "jsonl", "--data", data};
    arguments.insert(arguments.end(), wrong.begin(), wrong.end());
    act_test::check_one_line(run_program("act-eval", arguments), 2, wrong.front());
  }
}

TEST_CASE("options of calibration without heads are refused by name") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--beta", "0.3"},
                                             {"--alpha", "7"},
                                             {"--rule", "absolute"},
                                             {"--tau", "0.2"},
                                             {"--min-visible-rows", "2"},
                                             {"--redistribution", "uniform"},
                                             {"--factor", "2"},
                                             {"--compatibility", "authors"},
                                             {"--mask"}}) {
    CAPTURE(more.front());
    check_one_line(eval(data, more), 2, more.front() + ": says how heads are calibrated");
    std::vector<std::string> prompt = more;
    prompt.insert(prompt.end(), {"--prompt", "a"});
    check_one_line(generate(prompt), 2, more.front() + ": says how heads are calibrated");
  }
  CHECK(eval(data, {"--heads", "all", "--beta", "0.3"}).exit_code == 0);
}

TEST_CASE("--list-tasks lists what --task takes, without a model") {
  for (const char* program : {"act-eval", "act-search", "act-compare", "act-inspect"}) {
    const auto run = run_program(program, {"--list-tasks"});
    CHECK(run.exit_code == 0);
    CHECK(run.err == "");
    for (const char* line : {"\nsst2 ", "\ntrec ", "\narce ", "\nsquad ", "\njsonl ",
                             "labels: negative, positive\n", "SQuAD 1.1 or 2.0 JSON"}) {
      CAPTURE(line);
      CHECK(run.out.find(line) != std::string::npos);
    }
  }
}

TEST_CASE("--show-prompts prints what the model is asked, and predictions have it") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  const std::string prompt = json::parse(act_test::tiny_jsonl(1))["prompt"];
  for (const char* scoring : {"labels", "likelihood", "greedy"}) {
    const auto run =
        eval(data, {"--show-prompts", "2", "--scoring", scoring, "--predictions", folder / "lines"});
    REQUIRE(run.exit_code == 0);
    const std::vector<json> lines = act_test::parsed_lines(folder / "lines");
    const std::size_t tokens = lines[0]["prompt_tokens"].size();
    CHECK(lines[0]["prompt"] == prompt);
    CHECK(run.out.starts_with("--- prompt of sample 0, " + std::to_string(tokens) + " tokens\n" + prompt +
                              "\n--- tokens " + std::to_string(lines[0]["prompt_tokens"][0].get<int>()) +
                              " '"));
    CHECK(run.out.find("--- prompt of sample 1, ") != std::string::npos);
    CHECK(run.out.find("--- prompt of sample 2, ") == std::string::npos);
    CHECK((run.out.find("--- answer 0 ") != std::string::npos) == (scoring != std::string("greedy")));
    CHECK(run.out.find("jsonl: 5 samples of ") != std::string::npos);
  }
  check_one_line(run_program("act-eval", {"--model", act_test::tiny_model, "--task", "ppl", "--data", data,
                                          "--show-prompts", "1"}),
                 2, "--show-prompts");
}

TEST_CASE("--json - is standard output, which has nothing else, and --prompt-file - is standard input") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  const auto run = eval(data, {"--json", "-"});
  CHECK(run.exit_code == 0);
  CHECK(json::parse(run.out)["n"] == 5);
  CHECK(run.err == eval(data, {}).out);
  CHECK(!std::filesystem::exists("-"));
  const auto made = generate({"--prompt-file", "-", "--max-new-tokens", "4", "--json", "-"}, "the weather\n");
  CHECK(json::parse(made.out)["prompt"] == "the weather\n");
  const auto same = generate({"--prompt", "the weather\n", "--max-new-tokens", "4", "--quiet"});
  CHECK(same.out == json::parse(made.out)["text"].get<std::string>() + "\n");
  const auto seen =
      run_program("act-inspect", {"--model", act_test::tiny_model, "--prompt-file", "-", "--json", "-"}, {},
                  "the weather of a long and winding road");
  CHECK(seen.exit_code == 0);
  CHECK(json::parse(seen.out)["prompt"] == "the weather of a long and winding road");
  // Elsewhere it is no name.
  check_one_line(eval(data, {"--predictions", "-"}), 2, "--predictions");
  check_one_line(run_program("act-inspect", {"--model", act_test::tiny_model, "--prompt-file", "-"}), 1,
                 "standard input");
}

TEST_CASE("results in pipes and links: the link stays, and standard output isn't written over") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  // One of our own: the machine's must not be tried as root.
  std::filesystem::create_symlink("/proc/self/fd/1", folder / "stdout");
  std::filesystem::create_symlink("real.json", folder / "link.json");
  const std::string command =
      "act-eval --model '" + act_test::tiny_model + "' --task jsonl --data '" + data + "' ";
  CHECK(shell(command + "--json '" + (folder / "stdout").string() + "' > '" + (folder / "all").string() + "'")
            .exit_code == 0);
  CHECK(std::filesystem::is_symlink(folder / "stdout"));
  const std::string all = act_test::read_file(folder / "all");
  CHECK(all.find("\"task\": \"jsonl\"") != std::string::npos);
  CHECK(all.find("jsonl: 5 samples") != std::string::npos);
  CHECK(shell(command + "--json '" + (folder / "link.json").string() + "'").exit_code == 0);
  CHECK(std::filesystem::is_symlink(folder / "link.json"));
  CHECK(act_test::parsed(folder / "real.json")["n"] == 5);
}

TEST_CASE("a full disk is exit code 1, wherever the output goes") {
  if (!std::filesystem::exists("/dev/full")) {
    MESSAGE("[skipped] this machine has no /dev/full");
    return;
  }
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(8));
  const std::string model = " --model '" + act_test::tiny_model + "' ";
  const std::string task = model + "--task jsonl --data '" + data + "' ";
  const std::string search = "act-search" + model + "--task 'jsonl=" + data + "' --samples 4 --layers 1:2 ";
  const std::string out = "--out '" + (folder / "heads.json").string() + "' ";
  for (const std::string& command :
       {"act-eval" + task, "act-eval" + task + "--json - ", "act-inspect" + task,
        "act-inspect" + model + "--prompt 'a road' ", search + out, search + "--dry-run ",
        "act-compare" + task + "--heads '" + folder.write("h.json", act_test::tiny_heads).string() + "' ",
        "act-generate" + model + "--prompt a --max-new-tokens 50 ", std::string("act-eval --help "),
        std::string("act-eval --list-tasks "), std::string("act-generate --version ")}) {
    CAPTURE(command);
    const auto run = shell(command + "--quiet > /dev/full");
    // Another option can't be in doubt: help and version come first.
    CHECK(run.exit_code == 1);
    CHECK(std::count(run.err.begin(), run.err.end(), '\n') <= 2);
    CHECK(run.err.find("can't be written") != std::string::npos);
  }
  for (const std::string& command :
       {"act-eval" + task + "--json /dev/full", "act-eval" + task + "--predictions /dev/full",
        search + "--out /dev/full", search + out + "--state /dev/full",
        "act-inspect" + model + "--prompt 'a road' --html /dev/full"}) {
    CAPTURE(command);
    check_one_line(shell(command + " --quiet"), 1, "/dev/full");
  }
}

TEST_CASE("progress is plain lines where stderr is no terminal, none with --quiet") {
  const act_test::temporary_folder folder;
  const std::size_t samples = act_test::sanitized ? 300 : 1500;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(samples));
  const auto run = eval(data, {"--progress-every", "0.02"});
  REQUIRE(run.exit_code == 0);
  CHECK(std::count(run.progress.begin(), run.progress.end(), '\n') > 1);
  CHECK(run.progress.starts_with("scoring "));
  CHECK(run.progress.find("/" + std::to_string(samples) + " ") != std::string::npos);
  CHECK(run.progress.find(" left\n") != std::string::npos);
  CHECK(run.progress.find_first_of("\r\033") == std::string::npos);
  CHECK(run.err == "");
  for (const std::vector<std::string>& silent :
       std::vector<std::vector<std::string>>{{"--progress-every", "3600"},
                                             {"--progress-every", "0"},
                                             {"--progress-every", "0.02", "--quiet"}}) {
    const auto said_nothing = eval(data, silent);
    CHECK(said_nothing.progress == "");
    CHECK(said_nothing.err == "");
  }
}

TEST_CASE("--max-windows scores the first windows of a text") {
  const act_test::temporary_folder folder;
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += "a long and winding road, what people ask of the weather, number " + std::to_string(i * i) + "\n";
  const std::string data = folder.write("text.txt", text);
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--model", act_test::tiny_model, "--task", "ppl", "--data", data, "--context",
                               "64", "--stride", "64", "--json", "-"});
    const auto run = run_program("act-eval", more);
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    return json::parse(run.out);
  };
  const json all = with({}), first = with({"--max-windows", "3"});
  CHECK(all["windows"] > 3);
  CHECK(first["windows"] == 3);
  CHECK(first["counted"] == 3 * 63);  // the first token of each has none before it
  CHECK(first["max_windows"] == 3);
  CHECK(with({"--max-windows", "1000000"})["baseline"] == all["baseline"]);
  check_one_line(run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data,
                                          "--max-windows", "3"}),
                 2, "--max-windows");
}

TEST_CASE("--balanced-shots shows as many examples of each label") {
  const act_test::temporary_folder folder;
  // Three of forty are positive.
  std::string train = "sentence\tlabel\n";
  for (int i = 0; i < 40; ++i)
    train += (i % 13 == 7 ? "fine" : "dull") + std::to_string(i) + "\t" + (i % 13 == 7 ? "1" : "0") + "\n";
  const std::string pool = folder.write("train.tsv", train);
  const std::string model = folder.write("M.gguf", act_test::tiny_chat_model());
  const std::string data = folder.write("dev.tsv", "sentence\tlabel\na road\t1\nthe weather\t0\n");
  const auto with = [&](std::vector<std::string> more, const std::string& asked) {
    more.insert(more.begin(), {"--model", model, "--task", "sst2", "--data", asked, "--shot-data", pool,
                               "--shot-seeds", "3", "--predictions", folder / "lines", "--long-prompts",
                               "truncate-left", "--json", folder / "json", "--limit", "2"});
    return run_program("act-eval", more);
  };
  const auto count = [](const std::string& text, const std::string& word) {
    std::size_t times = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
      ++times;
    return times;
  };
  REQUIRE(with({"--shots", "4", "--balanced-shots"}, data).exit_code == 0);
  std::set<std::string> prompts;
  for (const json& line : act_test::parsed_lines(folder / "lines")) {
    const std::string prompt = line["prompt"];
    CAPTURE(prompt);
    CHECK(count(prompt, "Sentence: fine") == 2);
    CHECK(count(prompt, "Sentence: dull") == 2);
    prompts.insert(prompt);
  }
  CHECK(prompts.size() > 2);  // other seeds show others
  CHECK(act_test::parsed(folder / "json")["shots"]["balanced"] == true);
  check_one_line(with({"--shots", "8", "--balanced-shots"}, data), 2, "3 samples of label 1");
  check_one_line(
      run_program("act-eval", {"--model", model, "--task", "sst2", "--data", data, "--balanced-shots"}), 2,
      "--shots");
}

TEST_CASE("results hold the heads, their hash, and what products are computed in") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(8));
  const std::string heads = folder.write("heads.json", R"({"heads": [[2, 3], [1, 0]]})");
  const std::string same = folder.write("same.json", R"({"heads": [[1, 0], [2, 3]]})");
  const std::string other = folder.write("other.json", R"({"heads": [[1, 0, 0.2], [2, 3, 0.4]]})");
  const auto result = [&](const std::string& file, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--heads", file, "--json", "-"});
    const auto run = eval(data, more);
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    return json::parse(run.out);
  };
  const json first = result(heads);
  CHECK(first["heads"] == 2);
  CHECK(first["calibrated_heads"] == json::parse("[[1, 0], [2, 3]]"));
  CHECK(first["heads_sha256"].get<std::string>().size() == 64);
  CHECK(result(same)["heads_sha256"] == first["heads_sha256"]);
  CHECK(result(other)["heads_sha256"] != first["heads_sha256"]);
  CHECK(result(other)["calibrated_heads"] == json::parse("[[1, 0, 0.2], [2, 3, 0.4]]"));
  CHECK(result("all")["calibrated_heads"].size() == result("all")["heads"]);

  // The type is in every program's result, in predictions and in heads files; float32 goes without saying.
  CHECK(!first["model"].contains("compute"));
  CHECK(result(heads, {"--compute", "int8", "--predictions", folder / "lines"})["model"]["compute"] ==
        "int8");
  for (const json& line : act_test::parsed_lines(folder / "lines"))
    CHECK(line["compute"] == "int8");
  const auto said = [&](const std::string& program, std::vector<std::string> more) {
    more.insert(more.end(),
                {"--model", act_test::tiny_model, "--compute", "int8", "--json", folder / "said.json"});
    const auto run = run_program(program, more);
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    return act_test::parsed(folder / "said.json")["model"]["compute"];
  };
  const std::string found = folder / "found.json";
  CHECK(said("act-search", {"--task", "jsonl=" + data, "--samples", "4", "--layers", "1:2", "--select",
                            "top:2", "--out", found}) == "int8");
  CHECK(said("act-compare", {"--task", "jsonl", "--data", data, "--heads", heads}) == "int8");
  CHECK(said("act-inspect", {"--prompt", "the weather"}) == "int8");
  CHECK(said("act-generate", {"--prompt", "the weather", "--max-new-tokens", "3"}) == "int8");
  CHECK(act_test::parsed(found)["model"]["compute"] == "int8");
  const json compared = [&] {
    const auto run = run_program("act-compare", {"--model", act_test::tiny_model, "--task", "jsonl", "--data",
                                                 data, "--heads", found, "--heads", same, "--json", "-"});
    REQUIRE(run.exit_code == 0);
    CHECK(run.err.find("found.json: was searched with --compute int8, this run has f32\n") !=
          std::string::npos);
    return json::parse(run.out);
  }();
  CHECK(compared["heads_files"][1]["heads_sha256"] == first["heads_sha256"]);
  CHECK(eval(data, {"--heads", found}).err.find("was searched with --compute int8, this run has f32\n") !=
        std::string::npos);
  CHECK(generate({"--prompt", "a", "--max-new-tokens", "2", "--heads", found})
            .err.find("was searched with --compute int8, this run has f32\n") != std::string::npos);
  CHECK(eval(data, {"--heads", found, "--compute", "int8"}).err == "");
}

TEST_CASE("act-generate says how fast it was, but for --quiet") {
  const auto run = generate({"--prompt", "the weather", "--max-new-tokens", "16"});
  CHECK(run.exit_code == 0);
  CHECK(run.err.starts_with("act-generate: "));
  CHECK(run.err.find(" tokens/s; ") != std::string::npos);
  CHECK(run.err.find(" tokens of prompt in ") != std::string::npos);
  CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
  const auto quiet = generate({"--prompt", "the weather", "--max-new-tokens", "16", "--quiet"});
  CHECK(quiet.err.empty());
  CHECK(quiet.out == run.out);
}
