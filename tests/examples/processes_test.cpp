// act-search as many processes: started by mpirun, or one after another as shards. However many there are,
// the heads file is that of one.
#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "examples/environment.hpp"
#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/state_units.hpp"
#include "examples/tiny_task.hpp"

using act_test::environment_variable;
using act_test::run_program;

namespace {

const std::string act_search = std::string(ACT_TEST_PROGRAMS) + "/act-search";

std::vector<std::string> search_arguments(const std::string& data, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{
      "--model", act_test::tiny_model, "--task", "jsonl=" + data, "--samples", "0", "--layers",
      "0:-1",    "--select",           "top:5",  "--objective",   "likelihood"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// More processes than cores, as any user, on this machine.
struct launcher_settings {
  environment_variable root{"OMPI_ALLOW_RUN_AS_ROOT", "1"};
  environment_variable root_confirmed{"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"};
  environment_variable many{"OMPI_MCA_rmaps_base_oversubscribe", "1"};
  environment_variable unbound{"OMPI_MCA_hwloc_base_binding_policy", "none"};
  environment_variable threads{"OMP_NUM_THREADS", "1"};
  // Two launchers that make their common folder at the same moment: one fails.
  act_test::temporary_folder sessions;
  environment_variable place{"OMPI_MCA_orte_tmpdir_base", (sessions / "").c_str()};
};

bool no_launcher() {
  if (std::string(ACT_TEST_MPIRUN).empty()) MESSAGE("[skipped] built without MPI");
  return std::string(ACT_TEST_MPIRUN).empty();
}

std::vector<std::string> launched(int processes, const std::vector<std::string>& arguments) {
  std::vector<std::string> all{"-n", std::to_string(processes), act_search};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

// A process of that rank of the launcher's children that works on `state`; 0: none.
pid_t process_of_rank(const std::string& rank, const std::string& state) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (act_test::read_file(entry.path() / "cmdline").find(state) == std::string::npos) continue;
    const std::string environment = act_test::read_file(entry.path() / "environ");
    if (environment.find("OMPI_COMM_WORLD_RANK=" + rank + '\0') != std::string::npos)
      return static_cast<pid_t>(std::stol(name));
  }
  return 0;
}

}  // namespace

TEST_CASE("however many processes share a search, its heads file is the same, byte for byte") {
  if (no_launcher()) return;
  const launcher_settings settings;
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(70));
  // The last is exact with two strengths a head.
  for (const std::string strategy : {"exact", "ranked", "racing", "betas"}) {
    CAPTURE(strategy);
    const bool betas = strategy == "betas";
    const auto arguments = [&](const std::string& name) {
      return search_arguments(data, {betas ? "--betas" : "--strategy", betas ? "0.3,0.7" : strategy, "--out",
                                     folder / (name + ".json"), "--state", folder / (name + ".state")});
    };
    REQUIRE(run_program("act-search", arguments(strategy + "-alone")).exit_code == 0);
    const std::string expected = act_test::read_file(folder / (strategy + "-alone.json"));
    const int units = act_test::units_in(folder / (strategy + "-alone.state"));
    for (const int processes : {1, 2, 4}) {
      CAPTURE(processes);
      const std::string name = strategy + std::to_string(processes);
      const auto run = run_program(ACT_TEST_MPIRUN, launched(processes, arguments(name)));
      CAPTURE(run.err);
      REQUIRE(run.exit_code == 0);
      CHECK(run.out.find("searched 32 heads") != std::string::npos);
      CHECK(run.out.find("searched 32 heads", run.out.find("searched 32 heads") + 1) == std::string::npos);
      CHECK(act_test::read_file(folder / (name + ".json")) == expected);
      CHECK(act_test::units_in(folder / (name + ".state")) == units);
    }
  }
}

TEST_CASE("when one of the processes dies the search ends, and goes on from its state") {
  if (no_launcher()) return;
  const launcher_settings settings;
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(150));
  const auto arguments = [&](const std::string& name) {
    return search_arguments(data,
                            {"--out", folder / (name + ".json"), "--state", folder / (name + ".state")});
  };
  REQUIRE(run_program("act-search", arguments("whole")).exit_code == 0);
  for (const std::string rank : {"1", "0"}) {
    CAPTURE(rank);
    const std::string name = "dies" + rank, state = folder / (name + ".state");
    pid_t killed = 0;
    const auto run =
        run_program(ACT_TEST_MPIRUN, launched(3, arguments(name)),
                    act_test::interruption{.signal = SIGKILL, .when = [&] {
                                             if (killed == 0 && act_test::units_so_far(state) >= 5) {
                                               killed = process_of_rank(rank, state);
                                               if (killed != 0) kill(killed, SIGKILL);
                                             }
                                             return false;
                                           }});
    REQUIRE(killed != 0);
    CHECK(run.exit_code != 0);
    CHECK(!std::filesystem::exists(folder / (name + ".json")));
    const int stored = act_test::units_in(state);
    CHECK(stored >= 5);
    CHECK(stored < act_test::units_in(folder / "whole.state"));
    REQUIRE(run_program(ACT_TEST_MPIRUN, launched(2, arguments(name))).exit_code == 0);
    CHECK(act_test::read_file(folder / (name + ".json")) == act_test::read_file(folder / "whole.json"));
  }
}

TEST_CASE("what goes wrong in one of the processes ends all of them, with its number") {
  if (no_launcher()) return;
  const launcher_settings settings;
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(30));
  const std::string other = folder.write("other.jsonl", act_test::tiny_jsonl(30, 3));
  const auto with_second = [&](const std::vector<std::string>& second) {
    std::vector<std::string> all =
        launched(1, search_arguments(data, {"--out", folder / "heads.json", "--state", folder / "state"}));
    const std::vector<std::string> more = launched(1, second);
    all.push_back(":");
    all.insert(all.end(), more.begin(), more.end());
    return run_program(ACT_TEST_MPIRUN, all);
  };
  const auto differs = with_second(search_arguments(other, {"--out", folder / "heads2.json"}));
  CHECK(differs.exit_code != 0);
  CHECK(differs.err.find("act-search: process 1: it: prepares other samples or has another model") !=
        std::string::npos);
  const auto missing =
      with_second(search_arguments(folder / "none.jsonl", {"--out", folder / "heads2.json"}));
  CHECK(missing.exit_code != 0);
  CHECK(missing.err.find("act-search: process 1: ") != std::string::npos);
  CHECK(missing.err.find("none.jsonl") != std::string::npos);
  // What is wrong with all is said.
  const auto wrong =
      run_program(ACT_TEST_MPIRUN,
                  launched(2, search_arguments(folder / "none.jsonl", {"--out", folder / "heads.json"})));
  CHECK(wrong.exit_code != 0);
  CHECK(wrong.err.find("none.jsonl") != std::string::npos);
  CHECK(!std::filesystem::exists(folder / "heads.json"));
}

TEST_CASE("shards of a search, merged, are the search") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(60));
  REQUIRE(run_program("act-search", search_arguments(data, {"--out", folder / "whole.json", "--state",
                                                            folder / "whole.state"}))
              .exit_code == 0);
  const int whole = act_test::units_in(folder / "whole.state");
  std::vector<std::string> merge{"--merge"};
  int sum = 0;
  for (const std::string number : {"1", "2", "3"}) {
    const std::string state = folder / ("part" + number + ".state");
    const auto run =
        run_program("act-search", search_arguments(data, {"--shard", number + "/3", "--state", state}));
    CHECK(run.err == "");
    REQUIRE(run.exit_code == 0);
    CHECK(run.out.find("shard " + number + " of 3 is in " + state) == 0);
    sum += act_test::units_in(state);
    CHECK(act_test::units_in(state) > whole / 6);
    if (number != "2") merge.push_back(state);
  }
  CHECK(sum == whole);
  // What a shard that isn't there would have said is computed.
  merge.insert(merge.end(), {"--state", folder / "all.state", "--out", folder / "merged.json"});
  REQUIRE(run_program("act-search", search_arguments(data, merge)).exit_code == 0);
  CHECK(act_test::read_file(folder / "merged.json") == act_test::read_file(folder / "whole.json"));

  const auto refused = [&](const std::vector<std::string>& more, int code, const std::string& names) {
    std::vector<std::string> all = search_arguments(data, more);
    act_test::check_one_line(run_program("act-search", all), code, names);
  };
  const std::string out = folder / "refused.json", part = folder / "part1.state";
  refused({"--merge", part, "--beta", "0.5", "--out", out}, 1, "this one 'beta 0.5'");
  refused({"--merge", folder / "none.state", "--out", out}, 1, "none.state: isn't there");
  CHECK(!std::filesystem::exists(folder / "none.state"));
  refused({"--merge", part, "--state", part, "--out", out}, 2, "--state");
  for (const char* wrong : {"0/3", "4/3", "1", "1/", "/3", "1/3x", "-1/3", "1/0"})
    refused({"--shard", wrong, "--state", folder / "s"}, 2,
            "--shard: '" + std::string(wrong) + "' isn't I/N");
  refused({"--shard", "1/3"}, 2, "--shard: needs --state");
  refused({"--shard", "1/3", "--state", folder / "s", "--out", out}, 2, "--shard: finds no heads");
  refused({"--shard", "1/3", "--state", folder / "s", "--strategy", "racing"}, 2, "--strategy: is 'racing'");
  refused({"--shard", "1/3", "--state", folder / "s", "--verify"}, 2, "--shard: finds no heads");
  refused({"--shard", "1/3", "--state", folder / "s", "--verify-best", "2"}, 2, "--shard: finds no heads");
  refused({"--shard", "1/3", "--state", folder / "s", "--dry-run"}, 2, "--shard: doesn't go with --dry-run");
  CHECK(!std::filesystem::exists(out));
}
