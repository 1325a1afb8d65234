// act-inspect as a process.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::check_one_line;
using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

const std::string inspected =
    "the weather or what people ask of a long and winding road the weather or what people ask";

act_test::process_result inspect(std::vector<std::string> more,
                                 const std::string& model = act_test::tiny_model) {
  more.insert(more.begin(), {"--model", model});
  return run_program("act-inspect", more);
}

void check_provenance(const json& result) {
  CHECK(result["model"]["fingerprint"].get<std::string>().size() == 64);
  for (const char* key :
       {"version", "revision", "compiler", "flags", "cpu", "threads", "options", "seconds"}) {
    CHECK(result["provenance"].contains(key));
  }
}

}  // namespace

TEST_CASE("act-inspect on a prompt: heat map, tables, and the same sinks in the JSON") {
  const act_test::temporary_folder folder;
  const auto run = inspect({"--prompt", inspected, "--json", folder / "result.json"});
  CHECK(run.err == "");
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find('\x1b') == std::string::npos);  // no terminal, no colour
  CHECK(run.out.find("on sinks, by head") != std::string::npos);
  CHECK(run.out.find("the sinks that hold most of their head's attention") != std::string::npos);
  CHECK(run.out.find("the tokens that are sinks of most heads") != std::string::npos);
  CHECK(run.out.find("The first token, which is never a sink") != std::string::npos);

  const json result = parsed(folder / "result.json");
  check_provenance(result);
  CHECK(result["prompt"] == inspected);
  const std::size_t tokens = result["prompt_tokens"].size();
  CHECK(result["tokens"] == tokens);
  CHECK(result["n"] == 1);
  CHECK(result["options"] ==
        json{{"rule", "relative"}, {"alpha", 5.0}, {"tau", 0.1}, {"min_visible_rows", 1}});
  const std::size_t layers = result["layers"], heads = result["heads_per_layer"];
  REQUIRE(result["per_head"].size() == layers * heads);
  REQUIRE(!result["sinks"].empty());
  CHECK(result["sinks"].size() == result["sink_count"]);
  std::map<std::size_t, double> mass_of_head;
  for (const json& sink : result["sinks"]) {
    const std::size_t layer = sink["layer"], head = sink["head"], position = sink["position"];
    CHECK(layer < layers);
    CHECK(head < heads);
    CHECK(position > 0);
    CHECK(position < tokens);
    CHECK(sink["id"] == result["prompt_tokens"][position]);
    CHECK(!sink["token"].get<std::string>().empty());
    const double score = sink["score"], mass = sink["mass"];
    CHECK(score > 5.0 / static_cast<double>(tokens));
    // The share of all rows is the mean over those that see the token, times their part.
    CHECK(mass ==
          doctest::Approx(score * static_cast<double>(tokens - position) / static_cast<double>(tokens)));
    mass_of_head[layer * heads + head] += mass;
  }
  for (std::size_t at = 0; at < layers * heads; ++at) {
    CHECK(result["per_head"][at]["sink_mass"].get<double>() == doctest::Approx(mass_of_head[at]));
    CHECK(result["per_head"][at]["first_mass"] > 0.0);
  }
  // Every token of every head once, sinks above alpha / N, the first token as its share over the threshold
  // says.
  const json& scores = result["scores"];
  CHECK(scores["up_to"][5] == 5.0);
  const auto counts = [&](const char* kind, std::size_t from) {
    std::size_t sum = 0;
    for (std::size_t bin = from; bin < scores[kind].size(); ++bin)
      sum += scores[kind][bin].get<std::size_t>();
    return sum;
  };
  CHECK(scores["first"].size() == scores["up_to"].size() + 1);
  CHECK(counts("first", 0) == layers * heads);
  CHECK(counts("sinks", 0) == result["sink_count"]);
  CHECK(counts("sinks", 6) == result["sink_count"]);
  CHECK(counts("others", 0) == layers * heads * (tokens - 1) - counts("sinks", 0));
  CHECK(counts("others", 6) == 0);
  CHECK(static_cast<double>(counts("first", 6)) ==
        doctest::Approx(result["first_token"]["over_threshold"].get<double>() *
                        static_cast<double>(layers * heads)));
  CHECK(run.out.find("scores of tokens in all heads (the paper's Figure 2)") != std::string::npos);
  CHECK(run.out.find("sinks by the tenth of their prompt, %:") != std::string::npos);

  std::size_t counted = 0;
  for (const json& token : result["frequent_tokens"])
    counted += token["count"].get<std::size_t>();
  CHECK(counted == result["sinks"].size());
}

TEST_CASE("act-inspect: a prompt file, threads and --quiet change nothing in the result") {
  const act_test::temporary_folder folder;
  const auto run = inspect({"--prompt", inspected});
  const std::string file = folder.write("prompt.txt", inspected);
  CHECK(inspect({"--prompt-file", file, "--threads", "3", "--quiet"}).out == run.out);
  CHECK(inspect({"--prompt", inspected, "--threads", "1"}).out == run.out);
}

TEST_CASE("act-inspect heeds the options of what a sink is") {
  const act_test::temporary_folder folder;
  const auto count = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--prompt", inspected, "--json", folder / "r.json"});
    REQUIRE(inspect(more).exit_code == 0);
    return parsed(folder / "r.json")["sink_count"].get<std::size_t>();
  };
  const std::size_t usual = count({});
  CHECK(count({"--alpha", "3"}) > usual);
  CHECK(count({"--alpha", "1000"}) == 0);
  CHECK(count({"--min-visible-rows", "5"}) < usual);
  CHECK(count({"--rule", "absolute", "--tau", "1"}) == 0);
  CHECK(count({"--rule", "absolute", "--tau", "0.1"}) > 0);
  CHECK(count({"--rule", "baseline-corrected", "--alpha", "2"}) > 0);
  CHECK(parsed(folder / "r.json")["options"]["rule"] == "baseline-corrected");
}

TEST_CASE("act-inspect over a data set: averages, Table 1, and the tokens of each head") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(12));
  const auto run = inspect({"--task", "jsonl", "--data", data, "--json", folder / "all.json"});
  CHECK(run.err == "");
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find("jsonl: 12 prompts") == 0);
  CHECK(run.out.find("the most frequent sink tokens (the paper's Table 1)") != std::string::npos);
  const json result = parsed(folder / "all.json");
  check_provenance(result);
  CHECK(result["task"] == "jsonl");
  CHECK(result["n"] == 12);
  CHECK(result["left_out"]["too_long"] == 0);
  CHECK(result["data"]["sha256"].get<std::string>().size() == 64);
  double sinks = 0, shares = 0;
  for (const json& head : result["per_head"]) {
    sinks += head["sinks"].get<double>();
    CHECK(head["prompts_with_sinks"] <= 1.0);
  }
  CHECK(sinks * 12 == doctest::Approx(result["sink_count"].get<double>()));
  std::size_t before = 1U << 30;
  for (const json& token : result["frequent_tokens"]) {
    CHECK(token["count"] <= before);
    before = token["count"];
    shares += token["share"].get<double>();
    CHECK(token["prompts"] <= 12);
  }
  CHECK(shares == doctest::Approx(1));
  std::size_t occurrences = 0;
  for (const json& sink : result["sinks"]) {
    for (const char* key : {"layer", "head", "position", "token", "id", "score", "mass", "prompts"})
      CHECK(sink.contains(key));
    occurrences += sink["count"].get<std::size_t>();
  }
  CHECK(occurrences == result["sink_count"]);

  // A sample alone is the prompt alone.
  const std::string one = folder.write(
      "one.jsonl", "{\"prompt\": \"" + inspected + "\", \"options\": [\" a\", \" the\"], \"label\": 0}\n");
  REQUIRE(inspect({"--task", "jsonl", "--data", one, "--json", folder / "one.json"}).exit_code == 0);
  REQUIRE(inspect({"--prompt", inspected, "--json", folder / "prompt.json"}).exit_code == 0);
  const json sample = parsed(folder / "one.json"), text = parsed(folder / "prompt.json");
  CHECK(sample["per_head"] == text["per_head"]);
  CHECK(sample["frequent_tokens"] == text["frequent_tokens"]);
}

TEST_CASE("act-inspect chooses samples as the other programs do, and leaves out or cuts long ones") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(10));
  const auto limited = inspect({"--task", "jsonl", "--data", data, "--limit", "4", "--seed", "42"});
  CHECK(limited.out.find("jsonl: 4 prompts") == 0);
  std::string text;
  for (int i = 0; i < 4000; ++i)
    text += "word ";
  const std::string longer =
      folder.write("long.jsonl", act_test::tiny_jsonl(3) + "{\"prompt\": \"" + text +
                                     "\", \"options\": [\" the\", \" of\"], \"label\": 0}\n");
  check_one_line(inspect({"--task", "jsonl", "--data", longer}), 1, "sample 3");
  const auto skipped = inspect({"--task", "jsonl", "--data", longer, "--long-prompts", "skip"});
  CHECK(skipped.out.find("1 samples left out") != std::string::npos);
  const auto cut = inspect({"--task", "jsonl", "--data", longer, "--long-prompts", "truncate-left"});
  CHECK(cut.out.find("1 prompts cut") != std::string::npos);
  check_one_line(inspect({"--prompt", text}), 1, "--prompt");
}

TEST_CASE(
    "act-inspect --html: one page of its own, with every head's maps of a prompt and layers' of a data set") {
  const act_test::temporary_folder folder;
  const std::string hostile = "the </script><script>alert(1)</script> road & \"people\" the long road";
  REQUIRE(inspect({"--prompt", hostile, "--html", folder / "prompt.html"}).exit_code == 0);
  const std::string page = act_test::read_file(folder / "prompt.html");
  CHECK(page.find("\"maps\":\"") != std::string::npos);
  CHECK(page.find("<script>alert") == std::string::npos);
  CHECK(page.find("http") == page.find("http-equiv"));
  CHECK(page.size() < 5'000'000);
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(4));
  REQUIRE(inspect({"--task", "jsonl", "--data", data, "--html", folder / "data.html"}).exit_code == 0);
  const std::string averages = act_test::read_file(folder / "data.html");
  CHECK(averages.find("\"per\":\"layer\"") != std::string::npos);
  CHECK(averages.find("\"changes\":\"") != std::string::npos);
  CHECK(averages.find("\"top\"") != std::string::npos);
}

TEST_CASE("act-inspect --svg: the pictures as files of their own") {
  const act_test::temporary_folder folder;
  const auto run =
      inspect({"--prompt", inspected, "--svg", folder / "new/figures", "--map", "1,0", "--map", "0,1"});
  CHECK(run.err == "");
  REQUIRE(run.exit_code == 0);
  CHECK(run.out == inspect({"--prompt", inspected}).out);
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "new/figures")) {
    names.insert(entry.path().filename().string());
    pugi::xml_document document;
    REQUIRE(document.load_file(entry.path().c_str()));
    CHECK(std::string(document.child("svg").child_value("title")).starts_with("tiny"));
  }
  CHECK(names == std::set<std::string>{"average.svg", "heads.svg", "layers-after.svg", "layers.svg",
                                       "map-0-1.svg", "map-1-0.svg", "places.svg", "scores.svg"});
  pugi::xml_document map;
  REQUIRE(map.load_file((folder / "new/figures/map-1-0.svg").c_str()));
  CHECK(map.select_nodes("//g").size() == 3);
  CHECK(map.select_nodes("//text[.='after: each head alone, beta 0.4']").size() == 1);
  CHECK(map.select_nodes("//text[contains(@class, 'small')]").size() > 20);

  // A data set's; and beta 1 changes nothing.
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(4));
  REQUIRE(inspect({"--task", "jsonl", "--data", data, "--svg", folder / "data", "--beta", "1"}).exit_code ==
          0);
  CHECK(!std::filesystem::exists(folder / "data/map-0-0.svg"));
  pugi::xml_document average;
  REQUIRE(average.load_file((folder / "data/average.svg").c_str()));
  CHECK(average.select_nodes("//g[1]/path").size() > 3);
  CHECK(average.select_nodes("//g[3]/path").empty());
}

TEST_CASE("act-inspect --heads: maps after calibration are those of a model with these heads calibrated") {
  const act_test::temporary_folder folder;
  const std::string heads =
      folder.write("heads.json", R"({"heads": [[0, 0], [0, 1]], "options": {"beta": 0.25}})");
  const auto run =
      inspect({"--prompt", inspected, "--html", folder / "page.html", "--heads", heads, "--quiet"});
  REQUIRE(run.exit_code == 0);
  CHECK(act_test::read_file(folder / "page.html")
            .find("After: the map in a pass with the 2 heads of heads.json calibrated (beta 0.25)") !=
        std::string::npos);
  REQUIRE(inspect({"--prompt", inspected, "--html", folder / "own.html", "--heads", heads, "--beta", "0.1",
                   "--quiet"})
              .exit_code == 0);
  CHECK(act_test::read_file(folder / "own.html").find("calibrated (beta 0.1)") != std::string::npos);
  // The file's sinks are looked for, too.
  const std::string strict =
      folder.write("strict.json", R"({"heads": [[0, 0]], "options": {"alpha": 1000}})");
  REQUIRE(inspect({"--prompt", inspected, "--svg", folder / "none", "--heads", strict, "--json",
                   folder / "none.json", "--quiet"})
              .exit_code == 0);
  CHECK(parsed(folder / "none.json")["sink_count"] == 0);
  CHECK(act_test::read_file(folder / "none/average.svg").find(">after: 1 head, beta 0.4<") !=
        std::string::npos);

  // What a search found of each head alone stands in the page, too.
  const std::string found = folder.write(
      "found.json",
      R"({"heads": [[1, 0]], "model": {"layers": 4, "heads": 8}, "evidence": {"baseline": {"n": 30}, "trials": [
         {"layer": 1, "head": 0, "net": 3, "log_likelihood_gain": 0.1}]}})");
  REQUIRE(inspect({"--prompt", inspected, "--html", folder / "found.html", "--heads", found, "--quiet"})
              .exit_code == 0);
  const std::string page = act_test::read_file(folder / "found.html");
  CHECK(page.find("Gained alone, of 30 samples") != std::string::npos);
  CHECK(page.find("layer 1, head 0: samples gained less lost +3") != std::string::npos);

  const auto refused = [&](const std::string& text, const std::string& part, int code = 1) {
    check_one_line(inspect({"--prompt", inspected, "--svg", folder / "none", "--quiet", "--heads",
                            folder.write("bad.json", text)}),
                   code, part);
  };
  refused(R"({"heads": []})", "names no heads", 2);
  refused(R"({"heads": [[99, 0]]})", "99");
  refused(R"({"heads": [[0, 0]], "options": {"columns": "initial-token"}})", "pictures can't show");
  check_one_line(inspect({"--prompt", "a", "--heads", heads}), 2, "--html or --svg");
  check_one_line(inspect({"--prompt", "a", "--beta", "0.1"}), 2, "--html or --svg");
  check_one_line(inspect({"--prompt", "a", "--svg", folder / "none", "--beta", "2"}), 2, "--beta");
  check_one_line(inspect({"--prompt", "a", "--map", "0,0"}), 2, "--map");
  check_one_line(inspect({"--prompt", "a", "--svg", folder / "none", "--map", "0"}), 2, "for example 3,2");
  check_one_line(inspect({"--prompt", "a", "--svg", folder / "none", "--map", "0,99"}), 2,
                 "outside the model");
  check_one_line(inspect({"--prompt", "a", "--svg", heads}), 1, "heads.json");
}

TEST_CASE("act-inspect: colour when asked for, none of a prompt's escape codes ever") {
  CHECK(inspect({"--prompt", inspected, "--color", "always"}).out.find("\x1b[48;5;") != std::string::npos);
  const auto run = inspect({"--prompt", "the road \x1b[2J\x1b[31m of a \x1b[2J\x1b[2J road", "--alpha", "1"});
  CHECK(run.exit_code == 0);
  CHECK(run.out.find('\x1b') == std::string::npos);
}

TEST_CASE("act-inspect: help, version, and wrong usage with 2") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(2));
  const auto help = run_program("act-inspect", {"--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.out.find("Examples:") != std::string::npos);
  CHECK(run_program("act-inspect", {"--version"}).exit_code == 0);
  CHECK(run_program("act-inspect", {}).exit_code == 2);
  check_one_line(inspect({}), 2, "--prompt");
  check_one_line(inspect({"--prompt", "a", "--prompt-file", data}), 2, "give one of");
  check_one_line(inspect({"--prompt", "a", "--task", "jsonl", "--data", data}), 2, "give one of");
  check_one_line(inspect({"--task", "jsonl"}), 2, "--data");
  check_one_line(inspect({"--prompt", "a", "--data", data}), 2, "--task");
  check_one_line(inspect({"--prompt", "a", "--limit", "3"}), 2, "--limit");
  check_one_line(inspect({"--task", "nope", "--data", data}), 2, "sst2");
  check_one_line(inspect({"--prompt", "a", "--rule", "best"}), 2, "--rule");
  check_one_line(inspect({"--prompt", "a", "--alpha", "-1"}), 2, "alpha");
  CHECK(inspect({"--prompt", "a", "--color", "sometimes"}).exit_code == 2);
}

TEST_CASE("act-inspect: bad input is one line with what, where and the mend") {
  const act_test::temporary_folder folder;
  check_one_line(inspect({"--prompt", ""}), 1, "--prompt");
  check_one_line(inspect({"--prompt-file", folder.write("empty.txt", "")}), 1, "empty.txt");
  check_one_line(inspect({"--prompt-file", folder / "none.txt"}), 1, "none.txt");
  check_one_line(inspect({"--prompt", "broken \xff text"}), 1, "UTF-8");
  check_one_line(inspect({"--prompt", "a"}, folder / "none.gguf"), 1, "none.gguf");
  check_one_line(inspect({"--prompt", "a"}, folder.write("text.gguf", "not a model")), 1, "text.gguf");
  const std::string bad = folder.write("bad.jsonl", act_test::tiny_jsonl(2) + "{\n");
  check_one_line(inspect({"--task", "jsonl", "--data", bad}), 1, "bad.jsonl:3");
  check_one_line(inspect({"--prompt", "a", "--html", folder / "no/such/page.html"}), 1, "page.html");
  check_one_line(inspect({"--prompt", "a", "--html", folder / "x", "--json", folder / "x"}), 2, "same file");
  const std::string file = folder.write("prompt.txt", inspected);
  check_one_line(inspect({"--prompt-file", file, "--html", file}), 2, "--html");
  CHECK(act_test::read_file(file) == inspected);
}

TEST_CASE("act-inspect stops at Ctrl-C with 130 and writes nothing") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(4000));
  const auto start = std::chrono::steady_clock::now();
  const auto run = run_program(
      "act-inspect",
      {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data, "--json", folder / "result.json"},
      act_test::interruption{.signal = SIGINT, .when = [&] {
                               return std::chrono::steady_clock::now() - start >
                                      std::chrono::milliseconds(300);
                             }});
  if (run.exit_code == 0) {
    MESSAGE("[skipped] this machine was done before the interruption");
    return;
  }
  CHECK(run.exit_code == 130);
  CHECK(!std::filesystem::exists(folder / "result.json"));
}
