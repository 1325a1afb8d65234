// Observed attention against PyTorch's (tests/golden/inspection), against a double-precision model, and
// against itself on other batches and threads.
#include <doctest/doctest.h>
#include <act/inspection/observe.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "inspection/tiny_models.hpp"
#include "runtime/double_llama.hpp"

namespace {

using tokens_of = std::vector<act::runtime::token_id>;
using sinks_of_heads = std::map<std::pair<std::size_t, std::size_t>, std::vector<std::size_t>>;

sinks_of_heads positions(const act::inspection::prompt_observation& prompt) {
  sinks_of_heads all;
  for (std::size_t at = 0; at < prompt.found.size(); ++at) {
    for (const act::inspection::observed_sink& sink : prompt.found[at].sinks)
      all[{at / prompt.heads, at % prompt.heads}].push_back(sink.position);
  }
  return all;
}

// Prompts of a parity golden, with the sinks that PyTorch found under the default rule.
void check_sinks(const std::filesystem::path& model_path, const std::filesystem::path& golden_path) {
  const act::runtime::model model = act_test::read_any_model(model_path);
  const auto golden = act_test::json_file(golden_path);
  std::vector<tokens_of> prompts;
  std::vector<sinks_of_heads> expected;
  std::size_t sinks = 0;
  for (const auto& prompt : golden.at("prompts")) {
    prompts.push_back(prompt.at("tokens").get<tokens_of>());
    sinks_of_heads& all = expected.emplace_back();
    for (const auto& found : prompt.at("plain").at("sinks")) {
      all[{found.at(0), found.at(1)}] = found.at(2).get<std::vector<std::size_t>>();
      sinks += found.at(2).size();
    }
  }
  std::size_t seen = 0;
  act::inspection::observe_each(model, prompts, {},
                                [&](std::size_t number, act::inspection::prompt_observation&& prompt) {
                                  CHECK(number == seen++);
                                  CHECK(prompt.tokens == prompts[number]);
                                  CHECK(positions(prompt) == expected[number]);
                                });
  CHECK(seen == prompts.size());
  CHECK(sinks > 50);
  MESSAGE(model_path.filename().string()
          << ": " << sinks << " sinks in " << seen << " prompts, all as PyTorch's");
}

}  // namespace

TEST_CASE("column scores of every head and layer equal those of transformers' eager attention") {
  const auto golden =
      act_test::json_file(std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "inspection" / "golden.json");
  std::map<std::string, act::runtime::model> models;
  double worst = 0;
  for (const auto& entry : golden.at("prompts")) {
    const std::string name = entry.at("model");
    CAPTURE(name);
    if (!models.contains(name)) models[name] = act_test::read_any_model(act_test::parity_folder / name);
    const std::vector<tokens_of> prompts{entry.at("tokens").get<tokens_of>()};
    const act::inspection::prompt_observation seen =
        act::inspection::observe(models[name], prompts, {.picture_side = 1}).front();
    const auto scores = entry.at("scores").get<std::vector<std::vector<std::vector<double>>>>();
    REQUIRE(seen.layers == scores.size());
    REQUIRE(seen.heads == scores[0].size());
    const auto tokens = static_cast<double>(seen.tokens.size());
    for (std::size_t at = 0; at < seen.found.size(); ++at) {
      const std::vector<double>& expected = scores[at / seen.heads][at % seen.heads];
      REQUIRE(expected.size() == seen.tokens.size());
      double mass = 0;
      for (std::size_t key = 0; key < expected.size(); ++key) {
        const double share = expected[key] * (tokens - static_cast<double>(key)) / tokens;
        worst = std::max(worst, std::abs(seen.received[at][key] - share));
        mass += share;
      }
      CHECK(mass == doctest::Approx(1).epsilon(1e-5));
      CHECK(seen.found[at].first_mass == doctest::Approx(expected[0]).epsilon(1e-4));
      const double threshold = 5 / tokens;
      if (std::abs(expected[0] / threshold - 1) > 1e-4) {
        CHECK(seen.found[at].first_over_threshold == (expected[0] > threshold));
      }
      for (const act::inspection::observed_sink& sink : seen.found[at].sinks) {
        CHECK(sink.score == doctest::Approx(expected[sink.position]).epsilon(1e-4));
        CHECK(sink.mass == seen.received[at][sink.position]);
      }
    }
  }
  CHECK(models.size() == 4);
  CHECK(worst < 1e-5);
  MESSAGE("largest difference of a token's share of attention: " << worst);
}

TEST_CASE("sinks of every head are those that PyTorch finds, on packed prompts") {
  for (const char* name : {"tiny-llama-mixed", "tiny-llama-tied"}) {
    check_sinks(act_test::parity_folder / (std::string(name) + ".gguf"),
                act_test::parity_folder / (std::string(name) + ".json"));
  }
  for (const char* name :
       {"tiny-opt-prenorm", "tiny-opt-postnorm", "tiny-opt-bare", "tiny-llama-new-config"}) {
    check_sinks(act_test::parity_folder / name, act_test::parity_folder / name / "golden.json");
  }
}

TEST_CASE("SmolLM2's sinks are those that PyTorch finds") {
  if (!std::filesystem::exists(ACT_TEST_MODEL)) {
    MESSAGE("[skipped] no model at " ACT_TEST_MODEL "; third_party/fetch_model.sh gets it");
    return;
  }
  check_sinks(ACT_TEST_MODEL, act_test::parity_folder / "smollm2.json");
}

TEST_CASE("every number of an observation equals a model's in double precision") {
  const act::runtime::model model =
      act_test::read_any_model(act_test::parity_folder / "tiny-llama-tied.gguf");
  tokens_of prompt;
  for (act::runtime::token_id i = 0; i < 90; ++i)
    prompt.push_back((i * i * 7 + i * 3 + 5) % 64);
  reference::double_llama oracle(model, {}, {});
  (void)oracle.prompt(prompt);
  const act::sink_options sinks{.alpha = 3, .min_visible_rows = 4};
  const std::vector<tokens_of> prompts{prompt};
  const act::inspection::prompt_observation seen =
      act::inspection::observe(model, prompts, {.sinks = sinks, .picture_side = prompt.size()}).front();
  const std::size_t tokens = prompt.size();
  double worst = 0;
  std::size_t found = 0;
  for (std::size_t at = 0; at < seen.found.size(); ++at) {
    const auto& map = oracle.raw_map(at / seen.heads, at % seen.heads);
    const act::inspection::head_observation& head = seen.found[at];
    double sink_mass = 0;
    std::size_t next = 0;
    bool on_the_edge = false;  // a score within rounding of the threshold may fall on either side
    for (std::size_t key = 0; key < tokens; ++key) {
      double sum = 0;
      for (std::size_t row = key; row < tokens; ++row) {
        sum += map[row][key];
        worst =
            std::max(worst, std::abs(static_cast<double>(seen.pictures[at].share(row, key)) - map[row][key]));
      }
      const double score = sum / static_cast<double>(tokens - key);
      const double threshold = 3.0 / static_cast<double>(tokens);
      on_the_edge = on_the_edge || std::abs(score / threshold - 1) < 1e-4;
      if (key == 0) {
        CHECK(head.first_mass == doctest::Approx(score).epsilon(1e-4));
        CHECK((on_the_edge || head.first_over_threshold == (score > threshold)));
        continue;
      }
      if (on_the_edge || score <= threshold || tokens - key < 4) continue;
      REQUIRE(next < head.sinks.size());
      CHECK(head.sinks[next].position == key);
      CHECK(head.sinks[next].score == doctest::Approx(score).epsilon(1e-4));
      CHECK(head.sinks[next].mass == doctest::Approx(sum / static_cast<double>(tokens)).epsilon(1e-4));
      sink_mass += sum / static_cast<double>(tokens);
      ++next;
    }
    if (on_the_edge) continue;
    CHECK(head.sinks.size() == next);
    CHECK(head.sink_mass == doctest::Approx(sink_mass).epsilon(1e-4));
    found += next;
  }
  CHECK(found > 20);
  CHECK(worst < 2e-5);
  MESSAGE(found << " sinks; largest difference of a weight: " << worst);
}

TEST_CASE("an observation doesn't depend on threads, hardly on the batch, and can be interrupted") {
  const act::runtime::model model =
      act_test::read_any_model(act_test::parity_folder / "tiny-llama-mixed.gguf");
  std::vector<tokens_of> prompts;
  for (act::runtime::token_id length = 1; length < 400; length = length * 2 + 5) {
    tokens_of& prompt = prompts.emplace_back();
    for (act::runtime::token_id i = 0; i < std::min<act::runtime::token_id>(length, 120); ++i)
      prompt.push_back((i * length + i * i) % 90);
  }
  const auto observe_with = [&](std::size_t threads) {
    act::set_thread_count(threads);
    auto all = act::inspection::observe(model, prompts, {.picture_side = 9});
    act::set_thread_count(0);
    return all;
  };
  const auto one = observe_with(1), three = observe_with(3);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const auto alone = act::inspection::observe(model, {&prompts[i], 1}, {.picture_side = 9}).front();
    CHECK(one[i].received == three[i].received);
    CHECK(positions(one[i]) == positions(three[i]));
    CHECK(positions(one[i]) == positions(alone));
    for (std::size_t at = 0; at < alone.received.size(); ++at) {
      for (std::size_t key = 0; key < prompts[i].size(); ++key)
        CHECK(alone.received[at][key] == doctest::Approx(one[i].received[at][key]).epsilon(1e-3));
    }
  }
  std::size_t layers = 0;
  CHECK_THROWS_AS((void)act::inspection::observe(model, prompts, {},
                                                 [&] {
                                                   if (++layers == 2) throw std::runtime_error("stop");
                                                 }),
                  std::runtime_error);
  CHECK(layers == 2);
}

TEST_CASE("a prompt of one token has no sinks, and all its attention lies on the first") {
  const act::runtime::model model = act_test::read_any_model(act_test::parity_folder / "tiny-opt-prenorm");
  const std::vector<tokens_of> prompts{{5}};
  const act::inspection::prompt_observation seen = act::inspection::observe(model, prompts).front();
  CHECK(seen.found.size() == model.config.layers * model.config.heads);
  CHECK(seen.pictures.empty());
  for (const act::inspection::head_observation& head : seen.found) {
    CHECK(head.sinks.empty());
    CHECK(head.sink_mass == 0);
    CHECK(head.first_mass == 1);
  }
}

TEST_CASE("bad requests are refused before the model runs, weights that overflow by layer and head") {
  act::runtime::model model = act_test::read_any_model(act_test::parity_folder / "tiny-opt-prenorm");
  const auto message = [&](const std::vector<tokens_of>& prompts,
                           const act::inspection::observe_options& options) {
    try {
      act::inspection::observe_each(model, prompts, options,
                                    [](std::size_t, act::inspection::prompt_observation&&) { FAIL("ran"); });
    } catch (const act::error& problem) {
      return std::string(problem.what());
    }
    return std::string("nothing thrown");
  };
  CHECK(message({{1}}, {.sinks = {.alpha = 0}}).find("sinks.alpha") != std::string::npos);
  CHECK(message({{1}, {}}, {}).find("prompt 1") != std::string::npos);
  CHECK(message({{1}, {2}, {1000}}, {}).find("prompt 2") != std::string::npos);
  CHECK(message({{1}, tokens_of(97, 3)}, {}).find("the model's context is 96") != std::string::npos);
  act::runtime::stored_matrix& weight = model.layers[1].query.weight;
  const std::vector<float> huge(weight.size(), 3e38F);
  weight = act::runtime::stored_matrix(act::runtime::tensor_view{.name = "huge",
                                                                 .type = act::runtime::tensor_type::f32,
                                                                 .shape = {weight.rows(), weight.columns()},
                                                                 .bytes = std::as_bytes(std::span(huge))});
  const std::string overflow = message({{1, 2, 3}}, {});
  CHECK(overflow.find("prompt 0") != std::string::npos);
  CHECK(overflow.find("layer 1, head 0") != std::string::npos);
}
