// act-search for long runs: what it says beforehand and meanwhile, and how it bounds its memory.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/state_units.hpp"
#include "examples/tiny_task.hpp"
#include "sanitized.hpp"

using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

std::vector<std::string> search_arguments(const std::string& data, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"--model", act_test::tiny_model, "--task", "jsonl=" + data, "--samples",
                                     "0",       "--layers",           "0:-1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// Runs act-search with stderr on a terminal; returns what it wrote there.
std::string on_a_terminal(std::vector<std::string> arguments) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(terminal >= 0);
  REQUIRE(grantpt(terminal) == 0);
  REQUIRE(unlockpt(terminal) == 0);
  const std::string name = ptsname(terminal);
  const int other = open(name.c_str(), O_RDWR | O_NOCTTY);
  arguments.insert(arguments.begin(), std::string(ACT_TEST_PROGRAMS) + "/act-search");
  std::vector<char*> pointers;
  for (std::string& argument : arguments)
    pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(other, STDERR_FILENO);
    dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
    close(terminal);
    execv(pointers.front(), pointers.data());
    _exit(127);
  }
  close(other);
  std::string seen;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(terminal, buffer, sizeof buffer)) > 0;)
    seen.append(buffer, static_cast<std::size_t>(got));
  int status = 0;
  waitpid(child, &status, 0);
  close(terminal);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  return seen;
}

}  // namespace

TEST_CASE("--dry-run says what a search takes, and the search takes that") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  const auto dry =
      run_program("act-search", search_arguments(data, {"--dry-run", "--json", folder / "dry.json"}));
  CHECK(dry.err == "");
  REQUIRE(dry.exit_code == 0);
  CHECK(dry.out.find("32 heads of layers 0..3 on 5 samples") != std::string::npos);
  CHECK(dry.out.find("multiply-adds") != std::string::npos);
  CHECK(dry.out.find("measured here on 5 of the samples") != std::string::npos);
  const json expected = parsed(folder / "dry.json");
  CHECK(expected["dry_run"] == true);
  CHECK(expected["seconds_expected"].get<double>() > 0);

  REQUIRE(run_program("act-search", search_arguments(data, {"--out", folder / "heads.json", "--json",
                                                            folder / "search.json"}))
              .exit_code == 0);
  const json work = parsed(folder / "search.json")["work"];
  CHECK(expected["trials"] == work["trials"]);
  CHECK(expected["plain_layer_rows"].get<double>() + expected["trial_layer_rows"].get<double>() ==
        doctest::Approx(work["layer_rows_computed"].get<double>()));
}

TEST_CASE("--dry-run of a ranked search measures estimates too, and says what the budget leaves") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  const auto rows_left_at = [&](const char* budget) {
    const auto run =
        run_program("act-search", search_arguments(data, {"--dry-run", "--strategy", "ranked", "--budget",
                                                          budget, "--json", folder / "dry.json"}));
    REQUIRE(run.exit_code == 0);
    CHECK(run.out.find("ranked  estimates take ") != std::string::npos);
    const json expected = parsed(folder / "dry.json");
    const double trials = std::stod(budget) * expected["trial_layer_rows"].get<double>() -
                          expected["estimate_layer_rows"].get<double>();
    const auto estimates = expected["estimate_seconds_expected"].get<double>();
    CHECK(estimates > 0);
    CHECK(expected["ranked_seconds_expected"].get<double>() ==
          doctest::Approx(estimates + (expected["plain_layer_rows"].get<double>() + std::max(0.0, trials)) /
                                          expected["measured"]["layer_rows_per_second"].get<double>()));
    return trials;
  };
  CHECK(rows_left_at("0.001") < 0);
  CHECK(rows_left_at("1") > 0);

  // In the last layer trials are fewer rows than estimates: the search will be exact, and has no other time.
  std::vector<std::string> last_layer =
      search_arguments(data, {"--dry-run", "--strategy", "ranked", "--json", folder / "dry.json"});
  std::replace(last_layer.begin(), last_layer.end(), std::string("0:-1"), std::string("3:3"));
  const auto run = run_program("act-search", last_layer);
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find("so the search will be exact") != std::string::npos);
  CHECK_FALSE(parsed(folder / "dry.json").contains("ranked_seconds_expected"));
}

TEST_CASE("--dry-run of a search without a sink gives the plain passes' time") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  const auto run = run_program(
      "act-search", search_arguments(data, {"--dry-run", "--alpha", "1000", "--json", folder / "dry.json"}));
  REQUIRE(run.exit_code == 0);
  const json expected = parsed(folder / "dry.json");
  CHECK(expected["trial_layer_rows"] == 0);
  CHECK(expected["plain_layer_rows"] > 0);
  CHECK(expected["seconds_expected"].get<double>() > 0);
  CHECK(expected["measured"]["layer_rows_per_second"] > 0);
}

TEST_CASE("a search without --out is refused, but for a dry run") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(4));
  act_test::check_one_line(run_program("act-search", search_arguments(data, {})), 2, "--out: is required");
}

TEST_CASE("--memory is kept to, or refused with the need") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(60));
  const auto memory_at = [&](const std::string& bytes) {
    const auto run =
        run_program("act-search",
                    search_arguments(data, {"--dry-run", "--memory", bytes, "--json", folder / "dry.json"}));
    REQUIRE(run.exit_code == 0);
    return parsed(folder / "dry.json");
  };
  const json plenty = memory_at("1G");
  const auto whole = plenty["memory"]["sum"].get<std::size_t>();
  const json little = memory_at(std::to_string(whole - 1000));
  CHECK(little["memory"]["sum"].get<std::size_t>() < whole - 1000);
  CHECK(little["chunks"].get<int>() > plenty["chunks"].get<int>());

  act_test::check_one_line(
      run_program("act-search", search_arguments(data, {"--out", folder / "heads.json", "--memory", "1M"})),
      2, "--memory: 1.0 MiB is too little: with one sample at a time");
  act_test::check_one_line(
      run_program("act-search", search_arguments(data, {"--out", folder / "heads.json", "--memory", "lots"})),
      2, "--memory: 'lots' isn't a size");

  // Pieces of another size are another search.
  const std::vector<std::string> kept{"--out", folder / "heads.json", "--state", folder / "state"};
  REQUIRE(run_program("act-search", search_arguments(data, kept)).exit_code == 0);
  std::vector<std::string> smaller = kept;
  smaller.insert(smaller.end(), {"--memory", std::to_string(whole - 1000)});
  act_test::check_one_line(run_program("act-search", search_arguments(data, smaller)), 1,
                           "tokens run together");
}

TEST_CASE("on a terminal a search says how fast it is, how long it takes and which heads are best") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(act_test::sanitized ? 40 : 150));
  const std::vector<std::string> arguments = search_arguments(data, {"--out", folder / "heads.json"});
  const std::string seen = on_a_terminal(arguments);
  CHECK(seen.find("searching ") != std::string::npos);
  CHECK(seen.find(" trials/s, ") != std::string::npos);
  CHECK(seen.find(" left; best ") != std::string::npos);
  CHECK(seen.ends_with("\r\033[K"));  // wiped

  std::vector<std::string> quiet = arguments;
  quiet.push_back("--quiet");
  CHECK(on_a_terminal(quiet) == "");
  // Without a terminal nothing is rewritten in place; how often there is a plain line is --progress-every's.
  const std::string plain = run_program("act-search", arguments).progress;
  CHECK(plain.find_first_of("\r\033") == std::string::npos);
  std::vector<std::string> without_lines = arguments;
  without_lines.insert(without_lines.end(), {"--progress-every", "0"});
  CHECK(run_program("act-search", without_lines).progress == "");
}

TEST_CASE("a search of any strategy that is killed at random moments ends with the same heads file") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(act_test::sanitized ? 60 : 160));
  std::mt19937 draw(20261129);
  int killed = 0;
  for (const std::vector<std::string>& strategy :
       {std::vector<std::string>{"--strategy", "exact", "--select", "top:5", "--objective", "likelihood"},
        {"--strategy", "ranked", "--budget", "0.5", "--select", "top:5", "--objective", "likelihood"},
        {"--strategy", "racing", "--select", "top:5", "--objective", "likelihood"},
        {"--strategy", "racing", "--risk", "0.3", "--select", "paper"}}) {
    CAPTURE(strategy[1]);
    const auto arguments = [&](const std::string& name) {
      std::vector<std::string> more = strategy;
      more.insert(more.end(), {"--out", folder / (name + ".json"), "--state", folder / (name + ".state")});
      return search_arguments(data, more);
    };
    std::filesystem::remove(folder / "whole.state");
    std::filesystem::remove(folder / "killed.state");
    std::filesystem::remove(folder / "killed.json");
    const auto whole = run_program("act-search", arguments("whole"));
    CHECK(whole.err == "");
    REQUIRE(whole.exit_code == 0);
    const int units = act_test::units_in(folder / "whole.state");
    REQUIRE(units > 24);
    for (int kill = 0; kill < (act_test::sanitized ? 2 : 5); ++kill) {
      const int stored = act_test::units_in(folder / "killed.state");
      const int target = stored + 1 + static_cast<int>(draw() % static_cast<std::uint32_t>(units / 8));
      const auto run = run_program(
          "act-search", arguments("killed"),
          act_test::interruption{.signal = SIGKILL, .when = [&] {
                                   return act_test::units_so_far(folder / "killed.state") >= target;
                                 }});
      CHECK(run.killed);
      killed += run.killed ? 1 : 0;
      CHECK(act_test::units_in(folder / "killed.state") > stored);
      CHECK(!std::filesystem::exists(folder / "killed.json"));
    }
    REQUIRE(run_program("act-search", arguments("killed")).exit_code == 0);
    CHECK(act_test::units_in(folder / "killed.state") == units);
    CHECK(act_test::read_file(folder / "whole.json") == act_test::read_file(folder / "killed.json"));
  }
  if (!act_test::sanitized) CHECK(killed == 20);
}

TEST_CASE("of two searches that are started on one state one goes on, and the other says so") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(act_test::sanitized ? 60 : 160));
  const std::string state = folder / "state";
  const auto arguments = [&](const std::string& name, const std::string& kept) {
    return search_arguments(data, {"--out", folder / name, "--state", kept});
  };
  REQUIRE(run_program("act-search", arguments("alone.json", folder / "alone.state")).exit_code == 0);
  act_test::process_result second;
  const auto first =
      run_program("act-search", arguments("first.json", state), act_test::interruption{.when = [&] {
                    if (second.exit_code < 0 && act_test::units_so_far(state) > 0)
                      second = run_program("act-search", arguments("second.json", state));
                    return false;
                  }});
  const bool first_goes_on = first.exit_code == 0;
  if (first_goes_on && second.exit_code == 0) {
    MESSAGE("[skipped] the first search had ended before the second began");
    return;
  }
  CHECK((first_goes_on ? first : second).err == "");
  act_test::check_one_line(first_goes_on ? second : first, 1, "is written by another process, too");
  CHECK_FALSE(std::filesystem::exists(folder / (first_goes_on ? "second.json" : "first.json")));
  CHECK(act_test::read_file(folder / (first_goes_on ? "first.json" : "second.json")) ==
        act_test::read_file(folder / "alone.json"));
}

TEST_CASE("racing says which heads can be picked, and picks no other") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(80));
  const auto run = run_program(
      "act-search",
      search_arguments(data, {"--strategy", "racing", "--select", "top:4", "--objective", "likelihood",
                              "--out", folder / "heads.json", "--json", folder / "search.json"}));
  CHECK(run.err == "");
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find(" heads were tried on every sample and can be picked, ") != std::string::npos);
  const json result = parsed(folder / "search.json");
  CHECK(result["strategy"].get<std::string>().starts_with("racing"));
  CHECK(parsed(folder / "heads.json")["evidence"]["strategy"] == result["strategy"]);
  std::size_t stopped = 0;
  for (const json& trial : result["trials"]) {
    if (!trial.contains("tried")) continue;
    ++stopped;
    CHECK(trial["tried"].get<int>() < 80);
    for (const json& picked : result["selected"])
      CHECK((picked[0] != trial["layer"] || picked[1] != trial["head"]));
  }
  CHECK(stopped > 0);
  CHECK(result["work"]["trials"].get<std::size_t>() < 80 * 32);
}

TEST_CASE("ranked says which heads count by estimates, in what it prints and in its files") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(80));
  const auto run = run_program(
      "act-search", search_arguments(data, {"--strategy", "ranked", "--budget", "0.7", "--select", "top:4",
                                            "--objective", "likelihood", "--out", folder / "heads.json",
                                            "--json", folder / "search.json"}));
  CHECK(run.err == "");
  REQUIRE(run.exit_code == 0);
  const json result = parsed(folder / "search.json");
  CHECK(result["strategy"] == "ranked for top:4 by likelihood within 0.7");
  CHECK(parsed(folder / "heads.json")["evidence"]["strategy"] == result["strategy"]);
  std::size_t estimated = 0;
  for (const json& trial : result["trials"]) {
    CHECK_FALSE(trial.contains("tried"));
    if (trial.contains("estimated")) ++estimated;
  }
  CHECK(estimated > 0);
  CHECK(estimated < 32);
  CHECK(result["work"]["trials"] == 80 * (32 - estimated));
  CHECK(run.out.find(std::to_string(32 - estimated) + " heads were tried exactly, those around the cut; " +
                     std::to_string(estimated) + " count by their estimates") != std::string::npos);
  CHECK(result["selected"].size() == 4);
}

TEST_CASE("racing takes rules that judge heads one by one, and another than the default one by itself") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(30));
  const auto search = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all{"--out", folder / "heads.json", "--json", folder / "search.json"};
    all.insert(all.end(), more.begin(), more.end());
    return run_program("act-search", search_arguments(data, all));
  };
  for (const char* rule :
       {"balanced:3", "greedy", "additive", "stable:3", "shared:3", "fdr", "random:3", "all"}) {
    CAPTURE(rule);
    act_test::check_one_line(search({"--strategy", "racing", "--select", rule}), 2,
                             "'" + std::string(rule) + "' looks at more than that: take exact or ranked");
  }
  const auto selects = [&](const std::string& strategy) {
    const auto run = search({"--strategy", strategy});
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    return parsed(folder / "search.json")["select"].get<std::string>();
  };
  CHECK(selects("exact") == "balanced:33%");
  CHECK(selects("ranked") == "balanced:33%");
  CHECK(selects("racing") == "top:33%");
  // balanced adds up log-likelihoods, and entropy is for those who have no labels.
  for (const char* objective : {"accuracy", "auc", "entropy"}) {
    CAPTURE(objective);
    REQUIRE(search({"--objective", objective}).exit_code == 0);
    CHECK(parsed(folder / "search.json")["select"] == "top:33%");
    act_test::check_one_line(search({"--objective", objective, "--select", "balanced:3"}), 2,
                             "with " + std::string(objective) + " take top:K or greedy:K");
  }
  for (const char* rule : {"additive", "paper"}) {
    act_test::check_one_line(search({"--objective", "entropy", "--select", rule}), 2,
                             "'" + std::string(rule) + "' looks at the right answers");
  }
}

TEST_CASE("a state of another strategy, and values that strategies don't take, are refused") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(10));
  const auto search = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all{"--out", folder / "heads.json", "--state",   folder / "state", "--select",
                                 "top:3", "--objective",         "likelihood"};
    all.insert(all.end(), more.begin(), more.end());
    return run_program("act-search", search_arguments(data, all));
  };
  REQUIRE(search({"--strategy", "ranked"}).exit_code == 0);
  act_test::check_one_line(search({}), 1, "it has 'strategy ranked for top:3 by likelihood within 0.33");
  act_test::check_one_line(search({"--strategy", "ranked", "--budget", "0.5"}), 1,
                           "this one 'strategy ranked for top:3 by likelihood within 0.5'");
  act_test::check_one_line(search({"--strategy", "racing"}), 1, "racing for top:3 by likelihood at 0.05");
  act_test::check_one_line(search({"--strategy", "ranked", "--budget", "0"}), 2, "--budget: must be above 0");
  act_test::check_one_line(search({"--strategy", "ranked", "--budget", "1.1"}), 2, "--budget: must be");
  act_test::check_one_line(search({"--strategy", "racing", "--risk", "nan"}), 2, "--risk: must be above 0");
  act_test::check_one_line(search({"--strategy", "racing", "--risk", "0.5"}), 2, "at most 0.4");
  act_test::check_one_line(search({"--risk", "0.1"}), 2, "--risk: goes with --strategy racing alone");
  act_test::check_one_line(search({"--strategy", "racing", "--budget", "0.1"}), 2, "--budget: goes with");
}
