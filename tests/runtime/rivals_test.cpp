// What rivals of ACT make of a model's logits, against PyTorch that does each by its paper's own arithmetic
// (tests/golden/rivals/make_rivals.py): tiny checkpoints of three architectures, and SmolLM2 where it is
// there.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/decoder.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/load_model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "message_of.hpp"
#include "sanitized.hpp"

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
  if (act_test::sanitized) {
    MESSAGE("[skipped] under the sanitizers: the tiny checkpoints go through the same code");
    return;
  }
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

TEST_CASE("each head by a strength of its own, in whole prompts and while decoding") {
  const act::runtime::model model = act::runtime::read_model(golden / "parity" / "tiny-llama-new-config");
  const std::vector<act::runtime::token_id> tokens{3, 9, 4, 7, 7, 2, 30, 5, 11, 2, 2, 8, 40, 12, 6, 1, 9, 33};
  const auto logits = [&](const act::runtime::model_calibration& by) {
    const act::runtime::matrix hidden =
        act::runtime::run_both(model, act::runtime::pack(model.config, {&tokens, 1}), by).calibrated;
    act::runtime::matrix found(1, model.output.count());
    model.output.all_logits(hidden, found);
    std::vector<float> all(found.data(), found.data() + found.cols());
    act::runtime::decoder decoder(model, by);
    decoder.start(std::span(tokens).first(10));
    std::span<const float> last;
    for (const act::runtime::token_id token : std::span(tokens).subspan(10))
      last = decoder.append(token);
    all.insert(all.end(), last.begin(), last.end());
    return all;
  };
  const act::head_set two{{0, 1}, {1, 0}};
  for (const bool renormalised : {false, true}) {
    CAPTURE(renormalised);
    act::calibration_options options{.columns = act::column_choice::initial_token};
    if (renormalised) options.redistribute = act::redistribution::renormalised;
    const auto with = [&](const act::head_set& heads, double strength, std::vector<double> each) {
      act::runtime::model_calibration by{.heads = heads, .options = options};
      (renormalised ? by.options.factor : by.options.beta) = strength;
      by.strengths = std::move(each);
      return logits(by);
    };
    const auto apart = [](const std::vector<float>& a, const std::vector<float>& b) {
      float most = 0;
      for (std::size_t i = 0; i < a.size(); ++i)
        most = std::max(most, std::abs(a[i] - b[i]));
      return most;
    };
    CHECK(apart(with(two, 0.4, {0.2, 0.2}), with(two, 0.2, {})) == 0);
    CHECK(apart(with(two, 0.4, {0.2, 1}), with({{0, 1}}, 0.2, {})) < 1e-5F);
    CHECK(apart(with(two, 0.4, {1, 0.3}), with({{1, 0}}, 0.3, {})) < 1e-5F);
    CHECK(apart(with(two, 0.4, {1, 0.3}), with(two, 0.3, {})) > 1e-4F);
    CHECK(act_test::message_of([&] { (void)with(two, 0.4, {0.2}); }) ==
          "strengths: need one for each calibrated head, or none");
    CHECK(act_test::message_of([&] { (void)with(two, 0.4, {0.2, -1}); }).starts_with("strengths: must be"));
  }
}
