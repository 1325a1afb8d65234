// act-eval's ways of scoring, as a process.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <act/io/text_file.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/decoder.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/log_probabilities.hpp>
#include <act/tasks/readers/lines.hpp>

#include <algorithm>
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

// Options of several words and different length, and one sample whose options begin alike.
std::string worded_jsonl(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += R"({"prompt": "What people ask of the road number )" + std::to_string(i) +
            R"(", "options": [" a long and winding road", " the weather", " what people ask, or )" +
            std::to_string(i * 7) + R"("], "label": )" + std::to_string(i % 3) + "}\n";
  }
  return text;
}

}  // namespace

TEST_CASE("--scoring likelihood: log-probability of each option's tokens, a byte") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", worded_jsonl(12));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const auto run = run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data",
                                            data, "--heads", heads, "--scoring", "likelihood", "--json",
                                            folder / "result.json", "--predictions", folder / "lines.jsonl"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find("likelihood") != std::string::npos);
  const json result = parsed(folder / "result.json");
  CHECK(result["scoring"] == "likelihood");
  CHECK(result["n"] == 12);
  CHECK(result["calibrated"].contains("accuracy"));

  const act::runtime::loaded_model loaded = act::runtime::load_model(act_test::tiny_model);
  act::runtime::model_calibration calibration;
  for (const auto& [layer, head] : {std::pair{1, 0}, {1, 2}, {2, 3}, {3, 1}})
    calibration.heads.insert(static_cast<std::size_t>(layer), static_cast<std::size_t>(head));
  const std::vector<json> samples = act_test::json_lines(worded_jsonl(12));
  std::size_t correct = 0, line_number = 0;
  for (const json& line : parsed_lines(folder / "lines.jsonl")) {
    const json& sample = samples[line_number];
    ++line_number;
    const std::vector<act::runtime::token_id> prompt = line["prompt_tokens"];
    CHECK(prompt == loaded.tokenizer->encode(sample["prompt"].get<std::string>()));
    REQUIRE(line["option_tokens"].size() == 3);
    for (std::size_t option = 0; option < 3; ++option) {
      const std::string words = sample["options"][option];
      std::vector<act::runtime::token_id> tokens = prompt;
      for (const auto& token : line["option_tokens"][option])
        tokens.push_back(token);
      CHECK(loaded.tokenizer->decode(tokens) == sample["prompt"].get<std::string>() + words);
      const std::vector<std::vector<act::runtime::scored_text>> alone{
          {{.tokens = tokens, .first_scored = prompt.size()}}};
      const auto sums = act::runtime::sum_log_probabilities(loaded.model, alone, calibration);
      const double bytes = static_cast<double>(words.size() - 1);  // without the space before it
      CHECK(line["baseline"]["scores"][option].get<double>() ==
            doctest::Approx(sums.plain[0][0] / bytes).epsilon(1e-5));
      CHECK(line["calibrated"]["scores"][option].get<double>() ==
            doctest::Approx(sums.calibrated[0][0] / bytes).epsilon(1e-5));
    }
    const std::vector<double> scores = line["baseline"]["scores"];
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    CHECK(line["baseline"]["prediction"] == best);
    correct += line["baseline"]["prediction"] == line["label"] ? 1 : 0;
  }
  CHECK(result["baseline"]["correct"] == correct);
}

TEST_CASE("likelihood scoring needs options") {
  const act_test::temporary_folder folder;
  const std::string tsv = folder.write("a.tsv", "sentence\tlabel\nfine\t1\n");
  const auto labels = run_program("act-eval", {"--model", act_test::tiny_model, "--task", "sst2", "--data",
                                               tsv, "--scoring", "likelihood"});
  CHECK(labels.exit_code == 2);
  CHECK(labels.err.find("--scoring") != std::string::npos);
}

TEST_CASE("--scoring greedy: the token that the model says, right only when it is the label") {
  const act_test::temporary_folder folder;
  const act::runtime::loaded_model loaded = act::runtime::load_model(act_test::tiny_model);
  // What the model says next: the first sample's answer, the second's wrong one, none of the third's.
  std::vector<json> samples;
  std::vector<std::string> said;
  for (const json& sample : act_test::json_lines(act_test::tiny_jsonl(40))) {
    if (samples.size() == 3) break;
    act::runtime::decoder sequence(loaded.model);
    const auto logits = sequence.start(loaded.tokenizer->encode(sample["prompt"].get<std::string>()));
    const auto token =
        static_cast<act::runtime::token_id>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    const std::string text = loaded.tokenizer->decode({&token, 1});
    if (act::tasks::trimmed(text).empty() || act::io::find_invalid_utf8(text) != std::string::npos) continue;
    samples.push_back(sample);
    said.push_back(text);
  }
  REQUIRE(samples.size() == 3);
  const auto another = [&](std::size_t i) {  // two words that are neither said nor each other
    std::vector<std::string> words;
    for (const std::string word : {" a", " of", " the", " to"}) {
      if (act::tasks::trimmed(word) != act::tasks::trimmed(said[i])) words.push_back(word);
    }
    return words;
  };
  const std::string spaced = " " + std::string(act::tasks::trimmed(said[0]));
  samples[0]["options"] = json::array({another(0)[0], spaced});
  samples[0]["label"] = 1;
  samples[1]["options"] = json::array({said[1], another(1)[0]});
  samples[1]["label"] = 1;
  samples[2]["options"] = json::array({another(2)[0], another(2)[1]});
  samples[2]["label"] = 0;
  std::string text;
  for (const json& sample : samples)
    text += sample.dump() + "\n";
  const std::string data = folder.write("data.jsonl", text);
  const std::string heads = folder.write("heads.json", R"({"heads": [[1, 0], [2, 3]]})");
  const auto run = run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data",
                                            data, "--heads", heads, "--scoring", "greedy", "--json",
                                            folder / "result.json", "--predictions", folder / "lines.jsonl"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find("scored by the greedy token") != std::string::npos);
  CHECK(run.out.find("none of the answers: plain 33.3 %") != std::string::npos);
  const json result = parsed(folder / "result.json");
  CHECK(result["scoring"] == "greedy");
  CHECK(result["baseline"]["correct"] == 1);
  CHECK(result["baseline"]["other"] == 1);
  CHECK(result["baseline"]["predicted"] == json::array({1, 1}));
  CHECK(result["calibrated"].contains("other"));
  const std::vector<json> lines = parsed_lines(folder / "lines.jsonl");
  REQUIRE(lines.size() == 3);
  CHECK(lines[0]["baseline"]["prediction"] == 1);
  CHECK(lines[1]["baseline"]["prediction"] == 0);
  CHECK(lines[2]["baseline"]["prediction"].is_null());
  for (const json& line : lines) {
    CHECK(line["baseline"]["scores"].size() == 2);
    CHECK(line["baseline"]["other"].is_number());
    CHECK(line["calibrated"]["scores"].size() == 2);
  }
}

TEST_CASE("--scoring greedy: words of several tokens, and no label prior") {
  const act_test::temporary_folder folder;
  const std::string tsv = folder.write("a.tsv", "sentence\tlabel\nfine\t1\n");
  const auto labels = run_program(
      "act-eval", {"--model", act_test::tiny_model, "--task", "sst2", "--data", tsv, "--scoring", "greedy"});
  CHECK(labels.exit_code == 1);
  CHECK(labels.err.find("' negative'") != std::string::npos);
  CHECK(labels.err.find("--scoring labels") != std::string::npos);
  const auto prior = run_program("act-eval", {"--model", act_test::tiny_model, "--task", "sst2", "--data",
                                              tsv, "--scoring", "greedy", "--prior", "contextual"});
  CHECK(prior.exit_code == 2);
  CHECK(prior.err.find("--prior") != std::string::npos);
}
