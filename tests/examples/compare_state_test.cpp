// act-compare --state as a process: gone on from after kill -9 and Ctrl-C, added to, refused.
#include <doctest/doctest.h>
#include <sqlite3.h>
#include <nlohmann/json.hpp>

#include <act/sqlite/database.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"
#include "sanitized.hpp"

using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

using arguments = std::vector<std::string>;

arguments joined(arguments all, const arguments& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

arguments compare(const std::string& data, const arguments& more, const std::string& task = "jsonl",
                  const std::string& model = act_test::tiny_model) {
  return joined({"--model", model, "--task", task, "--data", data}, more);
}

// All of a result but when and how it was made.
json result(const std::string& path) {
  json made = parsed(path);
  for (const char* own : {"seconds", "provenance"})
    made.erase(own);
  return made;
}

// Heads files that calibrate in every way there is; what `none` scores is the plain pass.
arguments every_way(const act_test::temporary_folder& folder) {
  arguments all;
  const auto add = [&](const std::string& name, const std::string& text) {
    all.insert(all.end(), {"--heads", folder.write(name, text).string()});
  };
  add("some.json", act_test::tiny_heads);
  add("same.json", act_test::tiny_heads);
  add("none.json", R"({"heads": []})");
  add("relative.json", R"({"heads": [[0, 1], [3, 0]], "options": {"beta": 0, "alpha": 2}})");
  add("strengths.json", R"({"heads": [[1, 0, 0.1], [2, 3, 0.7]]})");
  add("stronger.json", R"({"heads": [[1, 0, 0.2], [2, 3, 0.7]]})");
  add("masked.json", R"({"heads": [[1, 0], [2, 3]], "options": {"mask": true}})");
  add("factor.json",
      R"({"heads": [[1, 0]], "options": {"columns": "initial-token", "redistribution": "renormalised",
          "factor": 2}})");
  return all;
}

// Rows of scores so far, while another process may be writing; 0 where they can't be read just now. Read
// only: what a killed one left is for the next to roll back.
std::int64_t rows_of(const std::string& state) {
  sqlite3* data = nullptr;
  sqlite3_stmt* row = nullptr;
  std::int64_t rows = 0;
  if (sqlite3_open_v2(state.c_str(), &data, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(data, "SELECT COUNT(*) FROM score", -1, &row, nullptr) == SQLITE_OK &&
      sqlite3_step(row) == SQLITE_ROW)
    rows = sqlite3_column_int64(row, 0);
  sqlite3_finalize(row);
  sqlite3_close(data);
  return rows;
}

void change(const std::string& state, const std::string& how) {
  act::sqlite::database data(state);
  data.execute(how);
}

// "act-compare: 12 of 40 scores are in FILE": both numbers; nothing said: 0 of 0.
std::pair<std::size_t, std::size_t> known_of(const std::string& said) {
  const std::size_t at = said.find(" scores are in ");
  if (at == std::string::npos) return {0, 0};
  const std::string line = said.substr(said.rfind("act-compare: ", at) + 13);
  return {std::stoul(line), std::stoul(line.substr(line.find(" of ") + 4))};
}

}  // namespace

TEST_CASE("a comparison that is stopped at random moments ends with the same result, to the bit") {
  const act_test::temporary_folder folder;
  const arguments heads = every_way(folder);
  std::string task = "jsonl", data;
  arguments more{"--scoring", "default"};
  SUBCASE("labels") {
    data = folder.write("data.jsonl", act_test::tiny_jsonl(act_test::sanitized ? 40 : 60));
  }
  SUBCASE("greedy, few long prompts in a batch, in 8 bits") {
    std::string text;
    for (std::size_t i = 0; i < (act_test::sanitized ? 20U : 24U); ++i) {
      std::string prompt = std::to_string(i);
      while (prompt.size() < 280 + i / 4)
        prompt += i % 2 == 0 ? " a long and winding road" : " people ask of the weather";
      text += R"({"prompt": ")" + prompt + R"(", "options": [" the", " of"], "label": )" +
              std::to_string(i % 3 % 2) + "}\n";
    }
    data = folder.write("data.jsonl", text);
    more = {"--scoring", "greedy", "--compute", "int8"};
  }
  SUBCASE("likelihood, and a part of each prompt") {
    task = "arce";
    data = folder.write("data.jsonl", act_test::tiny_arce(act_test::sanitized ? 12 : 16));
    more = {"--scoring",
            "likelihood",
            "--heads",
            folder.write("question.json",
                         R"({"heads": [[1, 0], [2, 1]], "options": {"redistribution": "subset",
                             "subset": "question"}})"),
            "--heads",
            folder.write("choices.json",
                         R"({"heads": [[1, 0], [2, 1]], "options": {"redistribution": "subset",
                             "subset": "choices"}})")};
  }
  CAPTURE(task);
  const arguments all = joined(compare(data, heads, task), more);
  const auto once = run_program("act-compare", joined(all, {"--json", folder / "whole.json", "--quiet"}));
  CAPTURE(once.err);
  REQUIRE(once.exit_code == 0);
  REQUIRE(run_program("act-compare", joined(all, {"--quiet", "--state", folder / "whole.state"})).exit_code ==
          0);
  const std::int64_t whole = rows_of(folder / "whole.state");
  REQUIRE(whole > 80);

  const std::string state = folder / "cut.state";
  const arguments resumed =
      joined(all, {"--json", folder / "cut.json", "--state", state, "--threads", "1", "--quiet"});
  std::mt19937 draw(20261130);
  int stopped = 0;
  for (int stop = 0; stop < 4; ++stop) {
    const int signal = stop % 2 == 0 ? SIGKILL : SIGINT;
    CAPTURE(signal);
    const std::int64_t target =
        rows_of(state) + 1 + static_cast<std::int64_t>(draw() % static_cast<std::uint32_t>(whole / 6));
    const auto run = run_program(
        "act-compare", resumed,
        act_test::interruption{.signal = signal, .when = [&] { return rows_of(state) >= target; }});
    if (run.exit_code == 0) break;  // this machine was done before
    ++stopped;
    CHECK(run.killed == (signal == SIGKILL));
    if (!run.killed) {
      CHECK(run.exit_code == 130);
      CHECK(run.err.find("act-compare: interrupted; the same command goes on from " + state + "\n") !=
            std::string::npos);
    }
    CHECK(!std::filesystem::exists(folder / "cut.json"));
  }
  CHECK(stopped >= 1);
  REQUIRE(run_program("act-compare", resumed).exit_code == 0);
  CHECK(result(folder / "cut.json") == result(folder / "whole.json"));
  CHECK(rows_of(state) == whole);
  // Once more nothing is left to run, nor to write.
  const auto again = run_program(
      "act-compare", joined(all, {"--json", folder / "again.json", "--state", state, "--threads", "1"}));
  CHECK(result(folder / "again.json") == result(folder / "whole.json"));
  CHECK(known_of(again.err).first == known_of(again.err).second);
  CHECK(known_of(again.err).first > 0);
  // Nor are passes that a batch has run again beside those that it lacks.
  change(state, "DELETE FROM score WHERE pass % 2 = 0");
  const auto lacking = run_program(
      "act-compare", joined(all, {"--json", folder / "again.json", "--state", state, "--threads", "1"}));
  CHECK(result(folder / "again.json") == result(folder / "whole.json"));
  CHECK(known_of(lacking.err).first > known_of(lacking.err).second / 4);
  CHECK(known_of(lacking.err).first < known_of(lacking.err).second);
  CHECK(rows_of(state) == whole);
}

TEST_CASE("what was scored is kept by what it depends on: one more heads file, other names, more samples") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(60));
  const std::string some = folder.write("some.json", act_test::tiny_heads);
  const std::string state = folder / "state";
  const auto known_in = [&](const arguments& more) {
    const auto run = run_program(
        "act-compare", compare(data, joined(more, {"--state", state, "--json", folder / "with.json"})));
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    REQUIRE(run_program("act-compare", compare(data, joined(more, {"--json", folder / "without.json"})))
                .exit_code == 0);
    CHECK(result(folder / "with.json") == result(folder / "without.json"));
    return known_of(run.err);
  };
  using counts = std::pair<std::size_t, std::size_t>;
  CHECK(known_in({"--heads", some}) == counts{0, 0});
  CHECK(rows_of(state) == 120);
  const std::string more = folder.write("more.json", R"({"heads": [[1, 0], [2, 2]]})");
  CHECK(known_in({"--heads", some, "--heads", more}) == counts{120, 180});
  CHECK(rows_of(state) == 180);
  // The same heads in another file, in another order.
  const std::string renamed =
      folder.write("renamed.json", R"({"heads": [[3, 1], [2, 3], [1, 2], [1, 0]], "evidence": {}})");
  CHECK(known_in({"--heads", more, "--heads", renamed}) == counts{180, 180});
  // Other options, and another scoring, are other scores; what the first scoring gave stays.
  const std::string weaker =
      folder.write("weaker.json", R"({"heads": [[1, 0], [2, 2]], "options": {"beta": 0.41}})");
  CHECK(known_in({"--heads", weaker}) == counts{60, 120});
  CHECK(known_in({"--heads", some, "--scoring", "greedy"}) == counts{0, 0});
  CHECK(known_in({"--heads", weaker}) == counts{120, 120});
  // Nothing is said with --quiet.
  CHECK(run_program("act-compare",
                    compare(data, {"--heads", some, "--state", state, "--quiet", "--json", "/dev/null"}))
            .err.find("scores are in") == std::string::npos);
}

TEST_CASE("more samples go on from fewer, to the bit, in whatever batches they run") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(30));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  for (const char* compute : {"f32", "bf16", "int8"}) {
    for (const char* scoring : {"default", "greedy", "likelihood"}) {
      CAPTURE(compute);
      CAPTURE(scoring);
      const std::string state = folder / (std::string(compute) + ".state");
      const auto with = [&](const char* limit, const arguments& more) {
        const auto run = run_program(
            "act-compare", compare(data, joined({"--heads", heads, "--compute", compute, "--scoring", scoring,
                                                 "--limit", limit, "--json", folder / "result.json"},
                                                more)));
        CAPTURE(run.err);
        REQUIRE(run.exit_code == 0);
        return result(folder / "result.json");
      };
      for (const char* limit : {"2", "30"})
        CHECK(with(limit, {"--state", state}) == with(limit, {}));
    }
  }
}

TEST_CASE("--maps: the samples that heads were found on are kept too") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(60));
  const std::string heads = folder / "heads.json", state = folder / "state";
  REQUIRE(run_program("act-search",
                      {"--model", act_test::tiny_model, "--task", "jsonl=" + data, "--samples", "20",
                       "--layers", "0:-1", "--select", "top:5", "--objective", "likelihood", "--out", heads})
              .exit_code == 0);
  const auto run = [&](const arguments& more) {
    const auto done = run_program(
        "act-compare", compare(data, joined({"--heads", heads, "--json", folder / "result.json"}, more)));
    CAPTURE(done.err);
    REQUIRE(done.exit_code == 0);
    return done;
  };
  (void)run({"--state", state});
  CHECK(rows_of(state) == 80);
  CHECK(known_of(run({"--maps", "--state", state}).err) == std::pair<std::size_t, std::size_t>{80, 120});
  CHECK(known_of(run({"--maps", "--state", state}).err) == std::pair<std::size_t, std::size_t>{120, 120});
  const json kept = result(folder / "result.json");
  (void)run({"--maps"});
  CHECK(kept == result(folder / "result.json"));
}

TEST_CASE("a state of something else is refused in one line that says what differs, and stays as it is") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(12));
  const std::string heads = folder.write("heads.json", R"({"heads": [[1, 0]]})");
  const std::string good = folder / "good.state";
  REQUIRE(run_program("act-compare", compare(data, {"--heads", heads, "--state", good})).exit_code == 0);
  const auto refused = [&](const std::string& state, const std::string& why, const arguments& more = {},
                           const std::string& model = act_test::tiny_model) {
    CAPTURE(why);
    const std::string before = act_test::read_file(state);
    auto run = run_program(
        "act-compare",
        compare(data, joined({"--heads", heads, "--state", state, "--quiet"}, more), "jsonl", model));
    // The tests' heads files don't say of which model they are.
    while (run.err.find(": has no fingerprint") < run.err.find('\n'))
      run.err.erase(0, run.err.find('\n') + 1);
    act_test::check_one_line(run, 1, why);
    CHECK(run.err.starts_with("act-compare: " + state + ": "));
    CHECK(run.out.empty());
    CHECK(act_test::read_file(state) == before);
  };
  const auto changed = [&](const std::string& how) {
    const std::string state = folder / "changed.state";
    std::filesystem::copy_file(good, state, std::filesystem::copy_options::overwrite_existing);
    change(state, how);
    return state;
  };
  refused(good, "has the scores of another --compute, 'f32', and this one is 'bf16'; choose another --state",
          {"--compute", "bf16"});
  refused(good, "has the scores of another model (fingerprint), '", {},
          std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "parity" / "tiny-llama-tied.gguf");
  refused(changed("UPDATE origin SET value = 'older' || char(10) WHERE name = 'revision of act'"),
          "has the scores of another revision of act, 'older\\x0a', and this one is '");
  refused(changed("PRAGMA user_version = 7"), "has the format 7 of another version of act, this one's is 1");
  refused(changed("PRAGMA application_id = 7"), "is another program's database, or a search's state");
  refused(changed("DELETE FROM origin"), "is damaged");
  refused(changed("DROP TABLE score"), "no such table: score");
  refused(changed("UPDATE score SET scores = x'00'"), "is damaged: its scores aren't those of its samples");
  refused(changed("UPDATE score SET scores = NULL"), "is damaged");
  refused(changed("UPDATE score SET scores = scores || scores"), "is damaged");
  refused(changed("UPDATE score SET scores = x'000000000000F07F000000000000F07F000000000000F07F'"),
          "is damaged");  // infinite
  refused(folder.write("text.state", "no database, but long enough to be looked at"),
          "file is not a database");
  std::string torn = act_test::read_file(good);
  std::fill(torn.begin() + 4096, torn.end(), '\x7f');
  refused(folder.write("torn.state", torn), "as a state of scores: ");
  REQUIRE(run_program("act-search", {"--model", act_test::tiny_model, "--task", "jsonl=" + data, "--layers",
                                     "0:1", "--select", "top:1", "--objective", "likelihood", "--out",
                                     folder / "found.json", "--state", folder / "search.state"})
              .exit_code == 0);
  refused(folder / "search.state", "is another program's database, or a search's state");

  for (const auto& [state, why] : std::vector<std::pair<std::string, std::string>>{
           {heads, "would overwrite"}, {data, "would overwrite"}, {act_test::tiny_model, "would overwrite"}})
    act_test::check_one_line(run_program("act-compare", compare(data, {"--heads", heads, "--state", state})),
                             2, "--state: " + why);
  act_test::check_one_line(
      run_program("act-compare",
                  compare(data, {"--heads", heads, "--state", folder / "new", "--json", folder / "new"})),
      2, "--state: and --json name the same file");
}

TEST_CASE("scores that come out otherwise than those that are kept are refused") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(12));
  const std::string heads = folder.write("heads.json", R"({"heads": [[1, 0]]})");
  const std::string more = folder.write("more.json", R"({"heads": [[2, 0]]})");
  const std::string state = folder / "state";
  REQUIRE(run_program("act-compare", compare(data, {"--heads", heads, "--state", state})).exit_code == 0);
  change(state,
         "UPDATE score SET scores = zeroblob(24) WHERE pass = (SELECT id FROM pass WHERE identity = "
         "'plain')");
  // Plain passes run again beside those of new heads files.
  const auto run =
      run_program("act-compare", compare(data, {"--heads", heads, "--heads", more, "--state", state}));
  CHECK(run.exit_code == 1);
  CHECK(run.err.find("act-compare: " + state +
                     ": has other scores of the same samples than this program computes; delete it") !=
        std::string::npos);
}

TEST_CASE("without --state nothing is kept") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(12));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  REQUIRE(run_program("act-compare", compare(data, {"--heads", heads})).exit_code == 0);
  arguments left;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    left.push_back(entry.path().filename().string());
  std::sort(left.begin(), left.end());
  CHECK(left == arguments{"data.jsonl", "heads.json"});
}
