// What rivals of ACT make of a model's logits, against PyTorch that does each by its paper's own arithmetic
// (tests/golden/rivals/make_rivals.py): tiny checkpoints of three architectures, and SmolLM2 where it is
// there.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/load_model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace {

using nlohmann::json;

const std::filesystem::path golden = ACT_TEST_GOLDEN_DIR;

json read(const char* name) {
  std::ifstream in(golden / "rivals" / name);
  return json::parse(in).at("models");
}

act::runtime::model_calibration rival(const json& of, const std::vector<std::size_t>& span) {
  act::runtime::model_calibration made;
  for (const auto& head : of.at("heads"))
    made.heads.insert(head.at(0), head.at(1));
  const std::string method = of.at("method");
  const double strength = of.at("strength");
  if (method == "mask") {
    made.masks = true;
    return made;
  }
  made.options.redistribute = act::redistribution::renormalised;
  made.options.columns =
      method == "zerotuning" ? act::column_choice::initial_token : act::column_choice::span;
  if (made.options.columns == act::column_choice::span) made.options.span = span;
  made.options.factor = method == "pasta" ? 1 / strength : strength;  // others times alpha
  return made;
}

/// Largest difference of a logit, relative to the largest; how far rivals move the logits, to `moved`.
double largest_error(const act::runtime::model& model, const json& of, double& least_moved) {
  double worst = 0;
  const std::vector<std::size_t> kept = of.value("kept", std::vector<std::size_t>());
  for (const json& prompt : of.at("prompts")) {
    const std::vector<act::runtime::token_id> tokens = prompt.at("tokens");
    const std::vector<std::size_t> span = prompt.at("span");
    const std::vector<double> plain = prompt.at("plain");
    const double scale = std::abs(*std::max_element(
        plain.begin(), plain.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
    const auto packed = act::runtime::pack(model.config, {&tokens, 1});
    for (std::size_t number = 0; number < of.at("cases").size(); ++number) {
      CAPTURE(of.at("cases")[number].at("method").get<std::string>());
      const act::runtime::matrix hidden =
          act::runtime::run_both(model, packed, rival(of.at("cases")[number], span)).calibrated;
      act::runtime::matrix logits(1, model.output.count());
      model.output.all_logits(hidden, logits);
      const std::vector<double> expected = prompt.at("rivals")[number];
      double error = 0, moved = 0;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const double got = static_cast<double>(logits.data()[kept.empty() ? i : kept[i]]);
        error = std::max(error, std::abs(got - expected[i]));
        moved = std::max(moved, std::abs(expected[i] - plain[i]));
      }
      CHECK(error <= 2e-5 * scale);
      worst = std::max(worst, error / scale);
      if (tokens.size() > 1) least_moved = std::min(least_moved, moved / scale);
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("rivals' logits of tiny checkpoints are PyTorch's, by each paper's arithmetic") {
  double worst = 0, least_moved = 1;
  for (const json& of : read("tiny.json")) {
    const std::string name = of.at("model");
    CAPTURE(name);
    worst =
        std::max(worst, largest_error(act::runtime::read_model(golden / "parity" / name), of, least_moved));
  }
  MESSAGE("largest difference relative to the largest logit " << worst << ", least change by a rival "
                                                              << least_moved);
  CHECK(least_moved > 1e-3);  // else the comparison means nothing
}

TEST_CASE("rivals' logits of SmolLM2 are PyTorch's") {
  if (!std::filesystem::exists(ACT_TEST_MODEL)) {
    MESSAGE("[skipped] no model at " ACT_TEST_MODEL "; third_party/fetch_model.sh gets it");
    return;
  }
  double least_moved = 1;
  const act::runtime::model model =
      act::runtime::read_model(std::make_shared<const act::runtime::gguf_file>(ACT_TEST_MODEL));
  const double worst = largest_error(model, read("smollm2.json").at(0), least_moved);
  MESSAGE("largest difference relative to the largest logit " << worst << ", least change by a rival "
                                                              << least_moved);
  CHECK(least_moved > 1e-3);
}
