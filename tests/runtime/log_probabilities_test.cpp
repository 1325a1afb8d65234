// Log-probabilities of texts against PyTorch (tests/golden/perplexity/).
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/log_probabilities.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

const std::filesystem::path golden_root = std::filesystem::path(ACT_TEST_GOLDEN_DIR);

struct golden_texts {
  act::runtime::model model;
  act::runtime::model_calibration calibration;
  std::vector<std::vector<act::runtime::scored_text>> families;
  std::vector<std::vector<double>> plain, calibrated;
};

golden_texts read_golden() {
  std::ifstream in(golden_root / "perplexity" / "golden.json");
  const nlohmann::json stored = nlohmann::json::parse(in);
  golden_texts golden;
  golden.model = act::runtime::read_model(std::make_shared<const act::runtime::gguf_file>(
      golden_root / "parity" / stored.at("model").get<std::string>()));
  for (const auto& pair : stored.at("heads"))
    golden.calibration.heads.insert(pair[0], pair[1]);
  for (const auto& texts : stored.at("families")) {
    auto& family = golden.families.emplace_back();
    auto& plain = golden.plain.emplace_back();
    auto& calibrated = golden.calibrated.emplace_back();
    for (const auto& text : texts) {
      family.push_back({.tokens = text.at("tokens"), .first_scored = text.at("first_scored")});
      plain.push_back(text.at("plain"));
      calibrated.push_back(text.at("calibrated"));
    }
  }
  return golden;
}

}  // namespace

TEST_CASE("log-probabilities agree with PyTorch, plain and calibrated") {
  const golden_texts golden = read_golden();
  const auto scores = act::runtime::sum_log_probabilities(golden.model, golden.families, golden.calibration);
  std::size_t moved = 0;
  for (std::size_t family = 0; family < golden.families.size(); ++family) {
    for (std::size_t text = 0; text < golden.families[family].size(); ++text) {
      CAPTURE(family);
      CAPTURE(text);
      CHECK(scores.plain[family][text] == doctest::Approx(golden.plain[family][text]).epsilon(2e-5));
      CHECK(scores.calibrated[family][text] ==
            doctest::Approx(golden.calibrated[family][text]).epsilon(2e-5));
      moved += golden.plain[family][text] != golden.calibrated[family][text] ? 1 : 0;
    }
  }
  CHECK(moved > 5);
}

TEST_CASE("several calibrated passes beside one plain pass score what each does alone") {
  const golden_texts golden = read_golden();
  std::vector<act::runtime::model_calibration> calibrations{golden.calibration, {}, golden.calibration};
  calibrations[2].options.beta = 0;
  const auto all = act::runtime::sum_log_probabilities_of_each(golden.model, golden.families, calibrations);
  REQUIRE(all.calibrated.size() == 3);
  CHECK(all.calibrated[1].empty());
  CHECK(all.calibrated[0] != all.calibrated[2]);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto alone = act::runtime::sum_log_probabilities(golden.model, golden.families, calibrations[i]);
    CHECK(alone.plain == all.plain);
    CHECK(alone.calibrated == all.calibrated[i]);
  }
}

TEST_CASE("what a family shares doesn't change its texts' scores") {
  const golden_texts golden = read_golden();
  const auto together =
      act::runtime::sum_log_probabilities(golden.model, golden.families, golden.calibration);
  for (std::size_t family = 0; family < golden.families.size(); ++family) {
    for (std::size_t text = 0; text < golden.families[family].size(); ++text) {
      const std::vector<std::vector<act::runtime::scored_text>> alone{{golden.families[family][text]}};
      const auto one = act::runtime::sum_log_probabilities(golden.model, alone, golden.calibration);
      CHECK(together.plain[family][text] == doctest::Approx(one.plain[0][0]).epsilon(1e-5));
      CHECK(together.calibrated[family][text] == doctest::Approx(one.calibrated[0][0]).epsilon(1e-5));
    }
  }
}

TEST_CASE("the probabilities of all tokens that can follow sum to 1") {
  const golden_texts golden = read_golden();
  std::vector<act::runtime::scored_text> following;
  const auto words = static_cast<act::runtime::token_id>(golden.model.config.vocabulary);
  for (act::runtime::token_id word = 0; word < words; ++word)
    following.push_back({.tokens = {5, 77, 130, word}, .first_scored = 3});
  const std::vector<std::vector<act::runtime::scored_text>> families{following};
  const auto scores = act::runtime::sum_log_probabilities(golden.model, families, {});
  double sum = 0;
  for (const double each : scores.plain[0])
    sum += std::exp(each);
  CHECK(sum == doctest::Approx(1).epsilon(1e-5));
}

TEST_CASE("texts without a scored token, or without one before it, are refused") {
  const golden_texts golden = read_golden();
  const auto score = [&](const act::runtime::scored_text& text) {
    const std::vector<std::vector<act::runtime::scored_text>> families{{text}};
    return act::runtime::sum_log_probabilities(golden.model, families, {});
  };
  CHECK_THROWS_AS(score({.tokens = {1, 2}, .first_scored = 2}), act::error);
  CHECK_THROWS_AS(score({.tokens = {1, 2}, .first_scored = 0}), act::error);
  CHECK_THROWS_AS(score({.tokens = {}, .first_scored = 1}), act::error);
  CHECK_THROWS_AS(score({.tokens = {1, 99999}, .first_scored = 1}), act::error);
}
