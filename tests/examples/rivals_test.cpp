// What act-eval and act-search do as rivals of ACT do it (docs/rivals.md): other columns, factors, masking,
// all heads, PASTA's files of heads; and what makes no sense together is refused before a model is loaded.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <act/runtime/forward.hpp>
#include <act/runtime/label_logits.hpp>
#include <act/runtime/load_model.hpp>
#include <act/tasks/task.hpp>

#include <cmath>
#include <cstddef>
#include <span>
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

using flags = std::vector<std::string>;

// The heads that tiny_heads names, PASTA's way.
const std::string pasta_heads = R"({"3": [1], "1": [2, 0], "2": [3]})";

flags evaluation(const act_test::temporary_folder& folder, const flags& more) {
  flags arguments{"--model",       act_test::tiny_model,  "--task", "arce",
                  "--data",        folder / "dev.jsonl",  "--json", folder / "result.json",
                  "--predictions", folder / "lines.jsonl"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// Positions of the tokens that the prompt begins with, as far as its instruction goes.
std::vector<std::size_t> instruction_of(const act::runtime::tokenizer& by,
                                        const std::vector<act::runtime::token_id>& prompt) {
  const std::size_t size = act::tasks::find_task("arce").instruction.size();
  std::vector<std::size_t> positions;
  for (std::size_t at = 0; at < prompt.size(); ++at) {
    if (by.decode({prompt.data(), at + 1}).size() <= size) positions.push_back(at);
  }
  REQUIRE(positions.size() > 3);
  REQUIRE(positions.size() < prompt.size() - 10);
  return positions;
}

}  // namespace

TEST_CASE("act-eval scores as the core does with the same columns, factor and heads") {
  const act_test::temporary_folder folder;
  static_cast<void>(folder.write("dev.jsonl", act_test::tiny_arce(4)));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const std::string pasta = folder.write("pasta.json", pasta_heads);
  const act::runtime::loaded_model loaded = act::runtime::load_model(act_test::tiny_model);
  const act::runtime::tokenizer& by = *loaded.tokenizer;
  const act::head_set some{{1, 0}, {1, 2}, {2, 3}, {3, 1}};
  act::head_set all;
  for (std::size_t layer = 0; layer < loaded.model.config.layers; ++layer) {
    for (std::size_t head = 0; head < loaded.model.config.heads; ++head)
      all.insert(layer, head);
  }
  struct rival {
    flags more;
    act::head_set heads;
    act::calibration_options options;
    bool masks = false;
    std::string remark, recorded;
  };
  constexpr auto renormalised = act::redistribution::renormalised;
  const rival rivals[] = {
      {{"--heads", heads, "--columns", "initial-token", "--factor", "0.5"},
       some,
       {.redistribute = renormalised, .columns = act::column_choice::initial_token, .factor = 0.5},
       false,
       "4 heads calibrated (initial-token times 0.5, renormalised)",
       R"({"columns": "initial-token", "redistribution": "renormalised", "factor": 0.5})"},
      {{"--heads", pasta, "--columns", "instruction", "--factor", "100"},
       some,
       {.redistribute = renormalised, .columns = act::column_choice::span, .factor = 100},
       false,
       "4 heads calibrated (instruction times 100, renormalised)",
       R"({"columns": "instruction", "redistribution": "renormalised", "factor": 100.0})"},
      {{"--heads", "all", "--columns", "instruction", "--factor", "5"},
       all,
       {.redistribute = renormalised, .columns = act::column_choice::span, .factor = 5},
       false,
       "32 heads calibrated (instruction times 5, renormalised)",
       R"({"columns": "instruction"})"},
      {{"--heads", heads, "--redistribution", "renormalised", "--factor", "3", "--alpha", "2"},
       some,
       {.sinks = {.alpha = 2}, .redistribute = renormalised, .factor = 3},
       false,
       "4 heads calibrated (sinks times 3, renormalised)",
       R"({"factor": 3.0, "alpha": 2.0})"},
      {{"--heads", heads, "--columns", "initial-token"},
       some,
       {.columns = act::column_choice::initial_token},
       false,
       "4 heads calibrated (beta 0.4 of the initial-token)",
       R"({"columns": "initial-token", "redistribution": "proportional", "beta": 0.4})"},
      {{"--heads", heads, "--mask"}, some, {}, true, "4 heads masked", R"({"mask": true})"},
  };
  for (const rival& each : rivals) {
    CAPTURE(each.remark);
    const auto run = run_program("act-eval", evaluation(folder, each.more));
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    CHECK(run.out.find(each.remark) != std::string::npos);
    const json options = parsed(folder / "result.json")["options"];
    const json recorded = json::parse(each.recorded);
    for (const auto& [key, value] : recorded.items())
      CHECK(options[key] == value);
    std::size_t lines = 0;
    for (const json& line : parsed_lines(folder / "lines.jsonl")) {
      const std::vector<act::runtime::token_id> prompt = line["prompt_tokens"];
      const std::vector<std::size_t> span = instruction_of(by, prompt);
      act::runtime::model_calibration calibration{.heads = each.heads, .options = each.options};
      calibration.masks = each.masks;
      if (each.options.columns == act::column_choice::span) calibration.options.span = span;
      const act::runtime::matrix hidden =
          act::runtime::run_both(loaded.model, act::runtime::pack(loaded.model.config, {&prompt, 1}),
                                 calibration)
              .calibrated;
      for (std::size_t answer = 0; answer < line["calibrated"]["scores"].size(); ++answer) {
        const std::vector<act::runtime::token_id> letter{
            by.encode(" " + std::string(1, static_cast<char>('A' + answer)),
                      act::runtime::special_tokens_in_text::are_text, false)
                .back()};
        const std::vector<std::span<const act::runtime::token_id>> scored{letter};
        CHECK(line["calibrated"]["scores"][answer].get<double>() ==
              doctest::Approx(act::runtime::label_logits(loaded.model, hidden, scored)[0][0]).epsilon(1e-4));
      }
      CHECK(line["calibrated"]["scores"] != line["baseline"]["scores"]);
      ++lines;
    }
    CHECK(lines == 4);
  }
}

TEST_CASE("a search writes what it did to heads, and act-eval reads it back") {
  const act_test::temporary_folder folder;
  static_cast<void>(folder.write("dev.jsonl", act_test::tiny_arce(4)));
  const std::string data = folder.write("train.jsonl", act_test::tiny_arce(9));
  for (const flags& more : {flags{"--columns", "initial-token", "--factor", "2"},
                            flags{"--columns", "instruction", "--factor", "20"}, flags{"--mask"}}) {
    flags arguments{"--model",     act_test::tiny_model,
                    "--task",      "arce=" + data,
                    "--samples",   "6",
                    "--out",       folder / "out.json",
                    "--select",    "top:3",
                    "--objective", "likelihood",
                    "--layers",    "0:3"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto search = run_program("act-search", arguments);
    CAPTURE(search.err);
    REQUIRE(search.exit_code == 0);
    const json found = parsed(folder / "out.json");
    REQUIRE(found["heads"].size() == 3);
    const auto of_file = run_program("act-eval", evaluation(folder, {"--heads", folder / "out.json"}));
    CAPTURE(of_file.err);
    REQUIRE(of_file.exit_code == 0);
    const json result = parsed(folder / "result.json");
    CHECK(result["options"] == found["options"]);
    const std::string lines = act_test::read_file(folder / "lines.jsonl");
    {
      const auto compare = run_program(
          "act-compare", {"--model", act_test::tiny_model, "--task", "arce", "--data", folder / "dev.jsonl",
                          "--heads", folder / "out.json", "--json", folder / "compared.json"});
      CAPTURE(compare.err);
      REQUIRE(compare.exit_code == 0);
    }
    json bare = found;
    bare.erase("options");
    flags given{"--heads", folder.write("bare.json", bare.dump())};
    given.insert(given.end(), more.begin(), more.end());
    REQUIRE(run_program("act-eval", evaluation(folder, given)).exit_code == 0);
    CHECK(act_test::read_file(folder / "lines.jsonl") == lines);
  }
}

TEST_CASE("what doesn't fit together is refused, by name") {
  const act_test::temporary_folder folder;
  static_cast<void>(folder.write("dev.jsonl", act_test::tiny_arce(2)));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const std::string own = folder.write("own.jsonl", act_test::tiny_jsonl(2));
  const auto refused = [&](const flags& more) {
    flags arguments = evaluation(folder, {"--heads", heads});
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto run = run_program("act-eval", arguments);
    CHECK(run.exit_code != 0);
    return run.err;
  };
  const auto says = [&](const flags& more, const std::string& what) {
    const std::string said = refused(more);
    CAPTURE(said);
    CHECK(said.find(what) != std::string::npos);
  };
  says({"--columns", "rows", "--factor", "2"},
       "--columns: 'rows' is none of sinks, initial-token, question, choices, instruction");
  says({"--factor", "-1"}, "factor: must be 0, or between 1e-6 and 1e6");
  says({"--redistribution", "uniform", "--factor", "2"},
       "--factor: is for --redistribution renormalised, not uniform");
  says({"--redistribution", "renormalised"}, "--redistribution: renormalised needs --factor, another than 1");
  says({"--factor", "2", "--beta", "0.4"}, "--beta: ");
  says({"--columns", "question", "--factor", "2", "--alpha", "3"}, "--alpha: ");
  says({"--columns", "question", "--redistribution", "inverse"}, "columns: must be sinks");
  says({"--columns", "question", "--redistribution", "subset", "--subset", "choices"},
       "columns: must be sinks");
  says({"--mask", "--beta", "0.4"}, "--mask: ");
  // Tasks whose prompts have no such part.
  flags arguments{"--model", act_test::tiny_model, "--task",      "jsonl",    "--data", own, "--heads",
                  heads,     "--columns",          "instruction", "--factor", "2"};
  const auto run = run_program("act-eval", arguments);
  CHECK(run.exit_code == 2);
  CHECK(run.err.find("--columns: task 'jsonl' has prompts of its own") != std::string::npos);
  const auto generated =
      run_program("act-generate", {"--model", act_test::tiny_model, "--prompt", "the road", "--heads", heads,
                                   "--columns", "instruction", "--factor", "2"});
  CHECK(generated.exit_code == 2);
  CHECK(generated.err.find("--columns: is for the tasks of act-eval and act-search") != std::string::npos);
}

TEST_CASE("label priors over the scored samples, and over random words of theirs") {
  const act_test::temporary_folder folder;
  std::string text;
  for (const char* premise : {"what people ask of the road", "the weather", "a long road or a winding road",
                              "people of the weather ask", "what a long and winding road"}) {
    text += json{{"premise", premise},
                 {"hypothesis", "the weather or a road"},
                 {"label", text.size() % 2 == 0 ? "entailment" : "not_entailment"}}
                .dump() +
            "\n";
  }
  const std::string data = folder.write("dev.jsonl", text);
  const auto lines_of = [&](const std::string& prior, const flags& more = {}) {
    flags arguments{"--model",       act_test::tiny_model,
                    "--task",        "rte",
                    "--data",        data,
                    "--prior",       prior,
                    "--json",        folder / "result.json",
                    "--predictions", folder / "lines.jsonl"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto run = run_program("act-eval", arguments);
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    CHECK(run.out.find(prior + " - plain") != std::string::npos);
    const json result = parsed(folder / "result.json");
    CHECK(result[prior].contains("accuracy"));
    CHECK(result[prior + "_difference"].contains("mcnemar_p"));
    CHECK(!result.contains("contextual"));
    return parsed_lines(folder / "lines.jsonl");
  };
  const auto score = [](const json& line, const std::string& way, std::size_t label) {
    return line[way]["scores"][label].get<double>();
  };
  const auto batch = lines_of("batch");
  REQUIRE(batch.size() == 5);
  for (std::size_t label = 0; label < 2; ++label) {
    double mean = 0;
    for (const json& line : batch) {
      const double other = score(line, "baseline", 1 - label) - score(line, "baseline", label);
      mean -= std::log1p(std::exp(other)) / 5;
    }
    for (const json& line : batch)
      CHECK(score(line, "batch", label) ==
            doctest::Approx(score(line, "baseline", label) - mean).epsilon(1e-5));
  }
  const auto domain = lines_of("domain"), again = lines_of("domain"),
             other = lines_of("domain", {"--seed", "5"});
  CHECK(domain == again);
  CHECK(domain != other);
  for (std::size_t label = 0; label < 2; ++label) {
    const auto prior = [&](const json& line) {
      return score(line, "baseline", label) - score(line, "domain", label);
    };
    for (const json& line : domain) {
      CHECK(prior(line) == doctest::Approx(prior(domain.front())).epsilon(1e-5));
      CHECK(prior(line) < 0);  // a logarithm of a probability
    }
  }
  static_cast<void>(folder.write("dev.jsonl", act_test::tiny_arce(2)));
  for (const flags& wrong :
       {flags{"--prior", "domain"}, flags{"--prior", "batch", "--scoring", "likelihood"}}) {
    const auto run = run_program("act-eval", evaluation(folder, wrong));
    CHECK(run.exit_code == 2);
    CHECK(run.err.find("--prior: ") != std::string::npos);
  }
}

TEST_CASE("generated text follows other columns and masked heads too") {
  const act_test::temporary_folder folder;
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const auto generated = [&](const flags& more) {
    flags arguments{
        "--model", act_test::tiny_model, "--prompt", "the long and winding road", "--max-new-tokens", "24"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto run = run_program("act-generate", arguments);
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    return run.out;
  };
  const std::string plain = generated({});
  CHECK(generated({"--heads", heads, "--mask"}) != plain);
  CHECK(generated({"--heads", heads, "--columns", "initial-token", "--factor", "0.01"}) != plain);
}
