// The forward pass against transformers in float32 with an independent PyTorch ACT (tests/golden/parity/).
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/load_model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/parity_golden.hpp"
#include "sanitized.hpp"

using act_test::parity_folder;

namespace {

act::runtime::model read(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return act::runtime::read_model(path);
  return act::runtime::read_model(std::make_shared<const act::runtime::gguf_file>(path));
}

float largest_difference(const act::runtime::const_matrix_ref& a, const act::runtime::const_matrix_ref& b) {
  float largest = 0;
  for (std::size_t row = 0; row < a.rows(); ++row) {
    for (std::size_t col = 0; col < a.cols(); ++col)
      largest = std::max(largest, std::abs(a(row, col) - b(row, col)));
  }
  return largest;
}

// Largest difference, as a part of the largest logit.
double difference(const act::runtime::model& model, const act::runtime::matrix& hidden, std::size_t row,
                  std::span<const act::runtime::token_id> kept, std::span<const double> expected,
                  double largest) {
  act::runtime::matrix logits(1, model.config.vocabulary);
  model.output.all_logits(hidden.row_block(row, 1), logits);
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::size_t token = kept.empty() ? i : static_cast<std::size_t>(kept[i]);
    worst = std::max(worst, std::abs(static_cast<double>(logits(0, token)) - expected[i]));
  }
  return worst / largest;
}

// All prompts packed into one batch, each case against its golden.
void check_against_golden(const act::runtime::model& model, const act_test::parity_golden& golden) {
  std::vector<std::vector<act::runtime::token_id>> prompts;
  for (const auto& prompt : golden.prompts)
    prompts.push_back(prompt.tokens);
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, prompts);
  double worst = 0;
  for (const auto& [called, calibration] : golden.cases) {
    const auto& name = called;
    CAPTURE(name);
    const act::runtime::plain_and_calibrated both = act::runtime::run_both(model, packed, calibration);
    for (std::size_t i = 0; i < golden.prompts.size(); ++i) {
      CAPTURE(golden.prompts[i].tokens.size());
      const auto& prompt = golden.prompts[i];
      const double plain = difference(model, both.plain, i, golden.kept, prompt.plain, prompt.plain_largest);
      CHECK(plain < 2e-4);
      const auto expected = std::find_if(prompt.cases.begin(), prompt.cases.end(),
                                         [&name = name](const auto& each) { return each.name == name; });
      REQUIRE(expected != prompt.cases.end());
      const double calibrated =
          difference(model, both.calibrated, i, golden.kept, expected->logits, expected->largest);
      CHECK(calibrated < 2e-4);
      worst = std::max({worst, plain, calibrated});
    }
  }
  MESSAGE(golden.model << ": largest relative difference of a logit " << worst);
}

}  // namespace

TEST_CASE("tiny Llama checkpoints agree with transformers, plain and calibrated") {
  for (const char* name : {"tiny-llama-mixed", "tiny-llama-tied"}) {
    const auto golden = act_test::read_parity_golden(parity_folder / (std::string(name) + ".json"));
    check_against_golden(read(parity_folder / golden.model), golden);
  }
}

TEST_CASE("SmolLM2 agrees with transformers, plain and calibrated") {
  if (!std::filesystem::exists(ACT_TEST_MODEL)) {
    MESSAGE("[skipped] no model at " ACT_TEST_MODEL "; third_party/fetch_model.sh gets it");
    return;
  }
  auto golden = act_test::read_parity_golden(parity_folder / "smollm2.json");
  if (act_test::sanitized) {  // tiny models go through the same code with long prompts
    std::erase_if(golden.prompts, [](const auto& prompt) { return prompt.tokens.size() > 30; });
    REQUIRE(golden.prompts.size() == 3);
  }
  check_against_golden(read(ACT_TEST_MODEL), golden);
}

TEST_CASE("Gemma 3 agrees with transformers, plain and calibrated, within its window and beyond") {
  if (!std::filesystem::exists(ACT_TEST_GEMMA3)) {
    MESSAGE("[skipped] no model at " ACT_TEST_GEMMA3 "; third_party/fetch_model.sh gemma3 gets it");
    return;
  }
  auto golden = act_test::read_parity_golden(parity_folder / "gemma3.json");
  if (act_test::sanitized) {  // tiny models go through the same code with long prompts
    std::erase_if(golden.prompts, [](const auto& prompt) { return prompt.tokens.size() > 60; });
    REQUIRE(golden.prompts.size() == 2);
  }
  check_against_golden(read(ACT_TEST_GEMMA3), golden);
}

TEST_CASE(
    "tiny Hugging Face folders agree with transformers: every OPT shape, both generations of config.json") {
  for (const char* name : {"tiny-opt-prenorm", "tiny-opt-postnorm", "tiny-opt-bare", "tiny-opt-nofinal",
                           "tiny-llama-old-config", "tiny-llama-new-config"}) {
    CAPTURE(name);
    check_against_golden(read(parity_folder / name),
                         act_test::read_parity_golden(parity_folder / name / "golden.json"));
  }
}

TEST_CASE("small trained checkpoints, Llama and GPT-2, agree with transformers") {
  for (const char* name : {"stories260K-llama", "stories-xs-llama", "slm4096-gpt2"}) {
    const std::filesystem::path folder = std::filesystem::path(ACT_TEST_SHARED) / "models" / name;
    if (!std::filesystem::exists(folder)) {
      MESSAGE("[skipped] no folder " << folder.string());
      return;
    }
    CAPTURE(name);
    check_against_golden(read(folder),
                         act_test::read_parity_golden(parity_folder / (std::string(name) + ".json")));
  }
}

TEST_CASE("each prompt of a batch has its own subset") {
  const act::runtime::model model = read(parity_folder / "tiny-llama-new-config");
  const std::vector<std::vector<act::runtime::token_id>> prompts{{3, 9, 4, 7, 7, 2, 30, 5, 11, 2, 2, 8},
                                                                 {8, 2, 2, 5, 6, 12, 40, 7}};
  const std::vector<std::vector<std::size_t>> subsets{{1, 2, 3, 9}, {4, 5}};
  act::runtime::model_calibration calibration;
  for (std::size_t head = 0; head < model.config.heads; ++head)
    calibration.heads.insert({0, head});
  calibration.options.sinks.alpha = 1.2;  // random weights have weak sinks
  calibration.options.redistribute = act::redistribution::subset;
  calibration.subsets = subsets;
  const act::runtime::plain_and_calibrated together =
      act::runtime::run_both(model, act::runtime::pack(model.config, prompts), calibration);
  CHECK(largest_difference(together.calibrated, together.plain) > 0);
  calibration.subsets = {};
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    calibration.options.subset = subsets[i];
    const act::runtime::plain_and_calibrated alone =
        act::runtime::run_both(model, act::runtime::pack(model.config, {&prompts[i], 1}), calibration);
    CHECK(largest_difference(alone.calibrated, together.calibrated.row_block(i, 1)) < 1e-5F);
  }
  calibration.options.subset = {};
  calibration.subsets = std::span(subsets).first(1);
  CHECK_THROWS_AS((void)act::runtime::run_both(model, act::runtime::pack(model.config, prompts), calibration),
                  act::error);
}

TEST_CASE("several calibrated passes beside one plain pass are what each is alone") {
  const act::runtime::model model = read(parity_folder / "tiny-llama-new-config");
  const std::vector<std::vector<act::runtime::token_id>> prompts{{3, 9, 4, 7, 7, 2, 30, 5, 11, 2, 2, 8},
                                                                 {8, 2, 2, 5, 6, 12, 40, 7}};
  std::vector<act::runtime::model_calibration> calibrations(4);
  calibrations[0].heads.insert({1, 0});
  calibrations[2].heads.insert({0, 1});
  calibrations[3].heads.insert({1, 1});
  for (act::runtime::model_calibration& each : calibrations)
    each.options.sinks.alpha = 1.2;  // random weights have weak sinks
  calibrations[3].options.beta = 0;
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, prompts);
  const act::runtime::plain_and_each all = act::runtime::run_each(model, packed, calibrations);
  REQUIRE(all.calibrated.size() == 4);
  CHECK(all.calibrated[1].size() == 0);
  for (std::size_t i = 0; i < 4; ++i) {
    const act::runtime::plain_and_calibrated alone = act::runtime::run_both(model, packed, calibrations[i]);
    CHECK(largest_difference(alone.plain, all.plain) == 0);
    REQUIRE(alone.calibrated.size() == all.calibrated[i].size());
    if (i == 1) continue;
    CHECK(largest_difference(alone.calibrated, all.calibrated[i]) == 0);
    CHECK(largest_difference(alone.plain, all.calibrated[i]) > 0);
  }
}
