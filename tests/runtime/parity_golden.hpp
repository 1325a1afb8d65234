// Reads the goldens that tests/golden/parity/ describes.
#pragma once

#include <act/runtime/forward.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace act_test {

inline const std::filesystem::path parity_folder = std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "parity";

struct parity_case {
  act::runtime::model_calibration calibration;
};

struct parity_prompt {
  std::vector<act::runtime::token_id> tokens;
  std::vector<double> plain;
  double plain_largest = 0;
  struct calibrated {
    std::string name;
    std::vector<double> logits;
    double largest = 0;
  };
  std::vector<calibrated> cases;
};

// A prompt, then tokens one by one, plain and calibrated: logits after the prompt and after each token.
struct parity_decoding {
  std::vector<act::runtime::token_id> tokens, appended;
  std::string name;  ///< the case
  struct step {
    std::vector<double> logits;  ///< of `parity_golden::kept_while_decoding`
    double largest = 0;
  };
  std::vector<step> plain, calibrated;
};

struct parity_golden {
  std::string model;
  std::vector<act::runtime::token_id> kept;  ///< empty: the whole vocabulary
  std::map<std::string, act::runtime::model_calibration> cases;
  std::vector<parity_prompt> prompts;
  std::vector<act::runtime::token_id> kept_while_decoding;
  std::vector<parity_decoding> decoding;
};

inline act::calibration_options options_of(const nlohmann::json& stored) {
  act::calibration_options options;
  for (const auto& [key, value] : stored.items()) {
    if (key == "rule") {
      options.sinks.rule = value == "absolute" ? act::sink_rule::absolute : act::sink_rule::relative;
    } else if (key == "alpha") {
      options.sinks.alpha = value;
    } else if (key == "tau") {
      options.sinks.tau = value;
    } else if (key == "beta") {
      options.beta = value;
    } else if (key == "min_visible_rows") {
      options.sinks.min_visible_rows = value;
    } else if (key == "compatibility") {
      options.behave_as = value == "authors" ? act::compatibility::authors : act::compatibility::none;
    } else {
      throw std::runtime_error("golden has an option this test doesn't know: " + key);
    }
  }
  return options;
}

inline std::vector<parity_decoding::step> decoding_steps(const nlohmann::json& stored) {
  std::vector<parity_decoding::step> steps;
  for (const auto& each : stored)
    steps.push_back(
        {.logits = each.at("logits").get<std::vector<double>>(), .largest = each.at("max_abs_logit")});
  return steps;
}

inline parity_golden read_parity_golden(const std::filesystem::path& path) {
  std::ifstream in(path);
  const nlohmann::json stored = nlohmann::json::parse(in);
  parity_golden golden;
  golden.model = stored.at("model");
  if (stored.contains("kept")) golden.kept = stored.at("kept").get<std::vector<act::runtime::token_id>>();
  for (const auto& each : stored.at("cases")) {
    act::runtime::model_calibration calibration{.heads = {}, .options = options_of(each.at("options"))};
    for (const auto& head : each.at("heads"))
      calibration.heads.insert(head.at(0), head.at(1));
    golden.cases[each.at("name")] = calibration;
  }
  for (const auto& each : stored.at("prompts")) {
    parity_prompt prompt;
    prompt.tokens = each.at("tokens").get<std::vector<act::runtime::token_id>>();
    prompt.plain = each.at("plain").at("logits").get<std::vector<double>>();
    prompt.plain_largest = each.at("plain").at("max_abs_logit");
    for (const auto& calibrated : each.at("calibrated")) {
      prompt.cases.push_back({.name = calibrated.at("case"),
                              .logits = calibrated.at("logits").get<std::vector<double>>(),
                              .largest = calibrated.at("max_abs_logit")});
    }
    golden.prompts.push_back(std::move(prompt));
  }
  if (!stored.contains("decoding")) return golden;
  golden.kept_while_decoding = stored.at("kept_while_decoding").get<std::vector<act::runtime::token_id>>();
  for (const auto& each : stored.at("decoding")) {
    golden.decoding.push_back({.tokens = each.at("tokens").get<std::vector<act::runtime::token_id>>(),
                               .appended = each.at("appended").get<std::vector<act::runtime::token_id>>(),
                               .name = each.at("case"),
                               .plain = decoding_steps(each.at("plain")),
                               .calibrated = decoding_steps(each.at("calibrated"))});
  }
  return golden;
}

}  // namespace act_test
