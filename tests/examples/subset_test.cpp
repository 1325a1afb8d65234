// --redistribution subset --subset question|choices of act-eval: every prompt's own tokens receive, by every
// scoring, and what makes no sense together is refused before a model is loaded. The head search:
// search_test.cpp.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <act/runtime/forward.hpp>
#include <act/runtime/label_logits.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/log_probabilities.hpp>

#include <algorithm>
#include <cstddef>
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

const std::string heads_of_alpha_2 =
    R"({"heads": [[1, 0], [1, 2], [2, 3], [3, 1]], "options": {"alpha": 2}})";

// Found by the text that each token adds: positions of those that end within the last occurrence of `part`.
std::vector<std::size_t> positions_in(const act::runtime::tokenizer& by,
                                      const std::vector<act::runtime::token_id>& tokens,
                                      const std::string& part) {
  const std::string text = by.decode(tokens);
  const std::size_t begin = text.rfind(part);
  REQUIRE(begin != std::string::npos);
  std::vector<std::size_t> positions;
  for (std::size_t at = 0, before = 0; at < tokens.size(); ++at) {
    const std::size_t end = by.decode({tokens.data(), at + 1}).size();
    if (end > begin && end <= begin + part.size() && end > before) positions.push_back(at);
    before = end;
  }
  REQUIRE(!positions.empty());
  return positions;
}

std::vector<std::size_t> together(const std::vector<std::vector<std::size_t>>& parts) {
  std::vector<std::size_t> all;
  for (const std::vector<std::size_t>& each : parts)
    all.insert(all.end(), each.begin(), each.end());
  std::sort(all.begin(), all.end());
  return all;
}

act::runtime::model_calibration core_calibration(const std::vector<std::size_t>& subset) {
  act::runtime::model_calibration calibration{.heads = {{1, 0}, {1, 2}, {2, 3}, {3, 1}}, .options = {}};
  calibration.options.sinks.alpha = 2;
  calibration.options.redistribute = act::redistribution::subset;
  calibration.options.subset = subset;
  return calibration;
}

}  // namespace

TEST_CASE("a prompt's sinks give to its own question or choices as the core's option does") {
  const act_test::temporary_folder folder;
  const std::string text = act_test::tiny_arce(5);
  const std::string data = folder.write("dev.jsonl", text);
  const std::string heads = folder.write("heads.json", heads_of_alpha_2);
  const act::runtime::loaded_model loaded = act::runtime::load_model(act_test::tiny_model);
  const act::runtime::tokenizer& by = *loaded.tokenizer;
  const std::vector<json> samples = act_test::json_lines(text);

  std::vector<json> seen;
  for (const std::string part : {"question", "choices"}) {
    for (const std::string scoring : {"letters", "shots", "greedy", "likelihood"}) {
      CAPTURE(part);
      CAPTURE(scoring);
      std::vector<std::string> arguments{"--model",          act_test::tiny_model,
                                         "--task",           "arce",
                                         "--data",           data,
                                         "--heads",          heads,
                                         "--redistribution", "subset",
                                         "--subset",         part,
                                         "--json",           folder / "result.json",
                                         "--predictions",    folder / "lines.jsonl"};
      if (scoring == "shots") {
        arguments.insert(arguments.end(),
                         {"--shots", "1", "--shot-data", data, "--shot-seeds", "1", "--prior", "contextual"});
      } else {
        arguments.insert(arguments.end(), {"--scoring", scoring});
      }
      const auto run = run_program("act-eval", arguments);
      CAPTURE(run.err);
      REQUIRE(run.exit_code == 0);
      CHECK(run.out.find("freed mass to the " + part + " only") != std::string::npos);
      const json result = parsed(folder / "result.json");
      CHECK(result["options"]["redistribution"] == "subset");
      CHECK(result["options"]["subset"] == part);

      std::vector<json> scores;
      for (const json& line : parsed_lines(folder / "lines.jsonl")) {
        const json& asked = samples.at(line["index"])["question"];
        std::vector<std::string> options;
        for (const json& choice : asked["choices"])
          options.push_back(choice["text"]);
        const std::vector<act::runtime::token_id> prompt = line["prompt_tokens"];
        for (std::size_t answer = 0; answer < options.size(); ++answer) {
          double expected = 0;
          if (scoring == "likelihood") {
            const std::vector<std::vector<act::runtime::scored_text>> alone{
                {{.tokens = by.encode(by.decode(prompt) + " " + options[answer]),
                  .first_scored = prompt.size()}}};
            const auto subset = positions_in(
                by, alone[0][0].tokens, part == "question" ? std::string(asked["stem"]) : options[answer]);
            expected = act::runtime::sum_log_probabilities(loaded.model, alone, core_calibration(subset))
                           .calibrated[0][0] /
                       static_cast<double>(options[answer].size());
          } else {
            std::vector<std::vector<std::size_t>> parts;
            if (part == "question") parts.push_back(positions_in(by, prompt, asked["stem"]));
            for (std::size_t i = 0; i < options.size() && part == "choices"; ++i)
              parts.push_back(positions_in(by, prompt, options[i]));
            const std::vector<std::size_t> subset = together(parts);
            const act::runtime::matrix hidden =
                act::runtime::run_both(loaded.model, act::runtime::pack(loaded.model.config, {&prompt, 1}),
                                       core_calibration(subset))
                    .calibrated;
            const std::vector<act::runtime::token_id> letter{
                by.encode(" " + std::string(1, static_cast<char>('A' + answer)),
                          act::runtime::special_tokens_in_text::are_text, false)
                    .back()};
            const std::vector<std::span<const act::runtime::token_id>> scored{letter};
            expected = act::runtime::label_logits(loaded.model, hidden, scored)[0][0];
          }
          CHECK(line["calibrated"]["scores"][answer].get<double>() ==
                doctest::Approx(expected).epsilon(1e-4));
        }
        CHECK(line["calibrated"]["scores"] != line["baseline"]["scores"]);
        scores.push_back(line["calibrated"]["scores"]);
      }
      CHECK(scores.size() == samples.size());
      seen.emplace_back(scores);
    }
  }
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(seen[i] != seen[i + 4]);  // the two parts aren't the same
}

TEST_CASE("a subset that can't be is wrong usage, said before the model is loaded") {
  const act_test::temporary_folder folder;
  const std::string arce = folder.write("dev.jsonl", act_test::tiny_arce(2));
  const std::string sst2 = folder.write("dev.tsv", "sentence\tlabel\nfine \t1\n");
  const std::string own = folder.write("own.jsonl", act_test::tiny_jsonl(2));
  const std::string squad = folder.write("dev.json", R"({"version": "1.1", "data": []})");
  const std::string heads = folder.write("heads.json", heads_of_alpha_2);
  const std::string found = folder.write(
      "found.json", R"({"heads": [[1, 0]], "options": {"redistribution": "subset", "subset": "choices"}})");
  const auto refused = [&](const std::string& program, std::vector<std::string> arguments,
                           const std::vector<std::string>& names) {
    arguments.insert(arguments.end(), {"--model", folder / "none.gguf"});
    const auto run = run_program(program, arguments);
    CAPTURE(run.err);
    CHECK(run.exit_code == 2);
    CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
    for (const std::string& name : names)
      CHECK(run.err.find(name) != std::string::npos);
  };
  const auto eval = [&](const std::string& task, const std::string& data, std::vector<std::string> more,
                        const std::vector<std::string>& names) {
    more.insert(more.end(), {"--task", task, "--data", data});
    if (std::count(more.begin(), more.end(), "--heads") == 0) more.insert(more.end(), {"--heads", heads});
    refused("act-eval", more, names);
  };
  const std::vector<std::string> question{"--redistribution", "subset", "--subset", "question"};
  const std::vector<std::string> choices{"--redistribution", "subset", "--subset", "choices"};
  eval("arce", arce, {"--redistribution", "subset"},
       {"--redistribution", "--subset", "question, choices or instruction"});
  eval("arce", arce, {"--subset", "choices"}, {"--subset", "not proportional"});
  eval("arce", arce, {"--redistribution", "uniform", "--subset", "choices"}, {"--subset", "not uniform"});
  eval("arce", arce, {"--redistribution", "subset", "--subset", "answers"},
       {"--subset", "question, choices"});
  eval("arce", arce, {"--redistribution", "subset", "--subset", "choices", "--theta", "2"}, {"--theta"});
  eval("arce", arce, {"--redistribution", "subset", "--subset", "choices", "--compatibility", "authors"},
       {"redistribute", "proportional"});
  eval("arce", arce, {"--heads", found, "--redistribution", "uniform", "--subset", "choices"},
       {"not uniform"});
  eval("sst2", sst2, choices, {"--subset: task 'sst2' shows no choices", "--subset question"});
  eval("sst2", sst2, {"--heads", found}, {"found.json: options.subset", "shows no choices"});
  eval("jsonl", own, question, {"--subset", "prompts of its own"});
  eval("squad", squad, question, {"--subset", "generated", "another --redistribution"});
  eval("ppl", squad, question, {"--subset", "ppl"});
  const auto search = [&](const std::string& task, const std::string& data, std::vector<std::string> more,
                          const std::vector<std::string>& names) {
    more.insert(more.end(), {"--task", task + "=" + data, "--out", folder / "out.json"});
    refused("act-search", more, names);
  };
  search("arce", arce, {"--redistribution", "subset"}, {"--subset"});
  search("sst2", sst2, choices, {"--subset", "shows no choices"});
  search("jsonl", own, question, {"--subset", "prompts of its own"});
}

TEST_CASE("a classification prompt's sinks give to what the sample says") {
  const act_test::temporary_folder folder;
  const json sample{{"premise", "what people ask of the long and winding road"},
                    {"hypothesis", "the weather or a road"},
                    {"label", "entailment"}};
  const std::string data = folder.write("dev.jsonl", sample.dump() + "\n");
  const auto run =
      run_program("act-eval", {"--model", act_test::tiny_model, "--task", "rte", "--data", data, "--heads",
                               folder.write("heads.json", heads_of_alpha_2), "--redistribution", "subset",
                               "--subset", "question", "--predictions", folder / "lines.jsonl"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  const json line = parsed_lines(folder / "lines.jsonl").at(0);
  const act::runtime::loaded_model loaded = act::runtime::load_model(act_test::tiny_model);
  const std::vector<act::runtime::token_id> prompt = line["prompt_tokens"];
  const auto subset = together({positions_in(*loaded.tokenizer, prompt, sample["premise"]),
                                positions_in(*loaded.tokenizer, prompt, sample["hypothesis"])});
  const act::runtime::matrix hidden =
      act::runtime::run_both(loaded.model, act::runtime::pack(loaded.model.config, {&prompt, 1}),
                             core_calibration(subset))
          .calibrated;
  std::vector<act::runtime::token_id> words;
  for (const char* word : {" Yes", " No"})
    words.push_back(
        loaded.tokenizer->encode(word, act::runtime::special_tokens_in_text::are_text, false).back());
  const std::vector<std::span<const act::runtime::token_id>> scored{words};
  const auto expected = act::runtime::label_logits(loaded.model, hidden, scored);
  for (std::size_t word = 0; word < 2; ++word)
    CHECK(line["calibrated"]["scores"][word].get<double>() ==
          doctest::Approx(expected[0][word]).epsilon(1e-4));
  CHECK(line["calibrated"]["scores"] != line["baseline"]["scores"]);
}
