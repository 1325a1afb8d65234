// Pictures of maps as calibration leaves them, against a model in double precision and the definition.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/inspection/observe.hpp>
#include <act/runtime/model_calibration.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "inspection/tiny_models.hpp"
#include "runtime/double_llama.hpp"

namespace {

using tokens_of = std::vector<act::runtime::token_id>;
using map_rows = std::vector<std::vector<double>>;

act::runtime::model tiny_model() {
  return act_test::read_any_model(act_test::parity_folder / "tiny-llama-tied.gguf");
}

std::vector<tokens_of> one_prompt() {
  tokens_of prompt;
  for (act::runtime::token_id i = 0; i < 90; ++i)
    prompt.push_back((i * i * 7 + i * 3 + 5) % 64);
  return {prompt};
}

// Columns over 5 / N keep beta of their weight, the rest of the row takes what they lost.
map_rows calibrated(map_rows map, double beta) {
  const std::size_t tokens = map.size();
  std::vector<bool> sink(tokens, false);
  for (std::size_t key = 1; key < tokens; ++key) {
    double sum = 0;
    for (std::size_t row = key; row < tokens; ++row)
      sum += map[row][key];
    sink[key] = sum / static_cast<double>(tokens - key) > 5.0 / static_cast<double>(tokens);
  }
  for (std::vector<double>& row : map) {
    double on_sinks = 0, elsewhere = 0;
    for (std::size_t key = 0; key < row.size(); ++key)
      (sink[key] ? on_sinks : elsewhere) += row[key];
    for (std::size_t key = 0; key < row.size(); ++key)
      row[key] *= sink[key] ? beta : 1 + (1 - beta) * on_sinks / elsewhere;
  }
  return map;
}

double difference(const act::inspection::map_picture& picture, const map_rows& map) {
  double worst = 0;
  for (std::size_t row = 0; row < map.size(); ++row) {
    for (std::size_t key = 0; key < map[row].size(); ++key)
      worst = std::max(worst, std::abs(static_cast<double>(picture.share(row, key)) - map[row][key]));
  }
  return worst;
}

}  // namespace

TEST_CASE("without heads every map is shown as it were with its head alone calibrated") {
  const act::runtime::model model = tiny_model();
  const auto prompts = one_prompt();
  reference::double_llama oracle(model, {}, {});
  (void)oracle.prompt(prompts.front());
  const act::runtime::model_calibration each{.heads = {}, .options = {.beta = 0.25}};
  const auto seen =
      act::inspection::observe(model, prompts, {.picture_side = 90, .calibration = &each}).front();
  REQUIRE(seen.calibrated.size() == seen.pictures.size());
  std::size_t changed = 0;
  for (std::size_t at = 0; at < seen.pictures.size(); ++at) {
    CAPTURE(at);
    const map_rows& map = oracle.raw_map(at / seen.heads, at % seen.heads);
    CHECK(difference(seen.pictures[at], map) < 2e-5);
    CHECK(difference(seen.calibrated[at], calibrated(map, 0.25)) < 5e-5);
    changed += seen.found[at].sinks.empty() ? 0 : 1;
  }
  CHECK(changed > 1);
}

TEST_CASE("with heads the maps are those of a pass with them calibrated, each as strongly as it says") {
  const act::runtime::model model = tiny_model();
  const auto prompts = one_prompt();
  const std::set<std::pair<std::size_t, std::size_t>> chosen{{0, 0}, {0, 1}, {1, 1}};
  const act::runtime::model_calibration heads{.heads = {{0, 0}, {0, 1}, {1, 1}}, .options = {.beta = 0.1}};
  reference::double_llama oracle(model, chosen, {.beta = 0.1});
  (void)oracle.prompt(prompts.front());
  const auto seen =
      act::inspection::observe(model, prompts, {.picture_side = 90, .calibration = &heads}).front();
  const auto plain = act::inspection::observe(model, prompts, {.picture_side = 90}).front();
  CHECK(plain.calibrated.empty());
  double moved = 0;
  for (std::size_t at = 0; at < seen.pictures.size(); ++at) {
    CAPTURE(at);
    const std::size_t layer = at / seen.heads, head = at % seen.heads;
    const map_rows& raw = oracle.raw_map(layer, head);
    CHECK(difference(seen.calibrated[at], chosen.contains({layer, head}) ? calibrated(raw, 0.1) : raw) <
          5e-5);
    // What the plain pass says stays.
    CHECK(std::ranges::equal(seen.pictures[at].shares(), plain.pictures[at].shares()));
    if (layer > 0 && !chosen.contains({layer, head}))
      moved = std::max(moved, difference(seen.pictures[at], raw));
  }
  CHECK(moved > 1e-3);  // heads above see other queries and keys

  // The same strength said of each head, and another one that changes nothing.
  act::runtime::model_calibration own = heads;
  own.options.beta = 0.4;
  own.strengths = {0.1, 0.1, 0.1};
  const auto by_strengths =
      act::inspection::observe(model, prompts, {.picture_side = 90, .calibration = &own}).front();
  own.strengths = {1, 1, 1};
  const auto nothing =
      act::inspection::observe(model, prompts, {.picture_side = 90, .calibration = &own}).front();
  for (std::size_t at = 0; at < seen.pictures.size(); ++at) {
    CHECK(std::ranges::equal(by_strengths.calibrated[at].shares(), seen.calibrated[at].shares()));
    for (std::size_t cell = 0; cell < 90 * 90; ++cell)
      REQUIRE(nothing.calibrated[at].shares()[cell] ==
              doctest::Approx(plain.pictures[at].shares()[cell]).epsilon(1e-4));
  }
}

TEST_CASE("what pictures can't show is refused") {
  const act::runtime::model model = tiny_model();
  const auto prompts = one_prompt();
  act::runtime::model_calibration asked{.heads = {{0, 0}}, .options = {}};
  const auto refused = [&] {
    CHECK_THROWS_AS(
        (void)act::inspection::observe(model, prompts, {.picture_side = 9, .calibration = &asked}),
        act::error);
  };
  asked.masks = true;
  refused();
  asked.masks = false;
  asked.options.columns = act::column_choice::initial_token;
  refused();
  asked.options = {.behave_as = act::compatibility::authors};
  refused();
  asked.options = {.beta = 2};
  refused();
}
