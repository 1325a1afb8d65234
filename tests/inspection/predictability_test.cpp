// How well heads predict each other, against PyTorch's least squares over `transformers`' vectors
// (tests/golden/predictability), and what random weights are.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/inspection/predictability.hpp>
#include <act/inspection/reference_heads.hpp>
#include <act/parallel.hpp>
#include <act/runtime/cache_type.hpp>
#include <act/runtime/decoder.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/runtime/random_weights.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/score_samples.hpp>
#include <act/tasks/score_through_cache.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "inspection/tiny_models.hpp"
#include "message_of.hpp"

namespace {

using act::inspection::head_moments;
using act::inspection::head_prediction;
using act::inspection::head_vectors;
using act::inspection::kind_prediction;
using act::inspection::predictability;
using windows_of_tokens = std::vector<std::vector<act::runtime::token_id>>;

// `batch`: windows in a batch.
predictability predicted(const act::runtime::model& model, const windows_of_tokens& windows,
                         std::size_t fitted, act::inspection::predictability_options options,
                         std::size_t batch = 4) {
  head_moments sums(model, std::move(options));
  for (std::size_t first = 0; first < windows.size();) {
    const std::size_t end = first < fitted ? fitted : windows.size();
    const std::size_t count = std::min(batch, end - first);
    sums.add(std::span(windows).subspan(first, count), first >= fitted);
    first += count;
  }
  return predict_heads(sums);
}

windows_of_tokens made_windows(std::size_t count, std::size_t length, std::size_t vocabulary) {
  windows_of_tokens windows(count);
  std::size_t state = 1;
  for (auto& window : windows) {
    for (std::size_t i = 0; i < length; ++i) {
      state = (state * 1103515245 + 12345) % 2147483648U;
      window.push_back(static_cast<act::runtime::token_id>(state / 65536 % vocabulary));
    }
  }
  return windows;
}

}  // namespace

TEST_CASE("R^2 and references of every head equal those of PyTorch's least squares") {
  const auto golden =
      act_test::json_file(std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "predictability" / "golden.json");
  double worst = 0, worst_by_default = 0;
  std::size_t heads = 0;
  for (const auto& stored : golden.at("cases")) {
    const std::string name = stored.at("model");
    CAPTURE(name);
    const act::runtime::model model = act_test::read_any_model(act_test::parity_folder / "families" / name);
    const auto windows = stored.at("windows").get<windows_of_tokens>();
    for (const double ridge : {0.0, act::inspection::predictability_options{}.ridge}) {
      const predictability found = predicted(
          model, windows, stored.at("fitted_windows"),
          {.references = stored.at("references"), .lower_layers = stored.at("lower_layers"), .ridge = ridge});
      REQUIRE(found.kinds.size() == stored.at("vectors").size());
      CHECK(found.fitted_tokens == 480);
      CHECK(found.held_out_tokens == 120);
      for (std::size_t i = 0; i < found.kinds.size(); ++i) {
        const kind_prediction& kind = found.kinds[i];
        const auto& expected = stored.at("vectors")[i];
        CHECK(act::inspection::name_of(kind.of) == expected.at("vectors"));
        REQUIRE(kind.found.size() == expected.at("per_head").size());
        for (std::size_t at = 0; at < kind.found.size(); ++at) {
          const head_prediction& one = kind.found[at];
          const auto& head = expected.at("per_head")[at];
          CAPTURE(at);
          std::vector<std::vector<std::size_t>> references;
          for (const act::layer_head& each : one.references)
            references.push_back({each.layer, each.head});
          CHECK(references == head.at("references").get<std::vector<std::vector<std::size_t>>>());
          for (const auto& [list, key] :
               {std::pair(&one.held_out, "held_out"), std::pair(&one.pooled, "pooled"),
                std::pair(&one.fitted, "fitted")}) {
            const auto values = head.at(key).get<std::vector<double>>();
            REQUIRE(list->size() == values.size());
            for (std::size_t k = 0; k < values.size(); ++k) {
              double& largest = ridge == 0 ? worst : worst_by_default;
              largest = std::max(largest, std::abs((*list)[k] - values[k]));
            }
          }
          ++heads;
        }
      }
    }
  }
  CHECK(heads > 100);
  CHECK(worst < 1e-4);
  CHECK(worst_by_default < 1e-4);
  MESSAGE("largest difference of an R^2: " << worst << ", with the usual ridge " << worst_by_default);
}

TEST_CASE("predictability doesn't depend on batches or threads") {
  const act::runtime::model model = act_test::read_any_model(act_test::parity_folder / "families/qwen3/base");
  const windows_of_tokens windows = made_windows(10, 30, model.config.vocabulary);
  const predictability usual = predicted(model, windows, 8, {.references = 2});
  const predictability singly = predicted(model, windows, 8, {.references = 2}, 1);
  act::set_thread_count(3);
  const predictability threads = predicted(model, windows, 8, {.references = 2});
  act::set_thread_count(0);
  for (std::size_t kind = 0; kind < usual.kinds.size(); ++kind) {
    for (std::size_t at = 0; at < usual.kinds[kind].found.size(); ++at) {
      const head_prediction& one = usual.kinds[kind].found[at];
      CHECK(threads.kinds[kind].found[at].references == one.references);
      CHECK(threads.kinds[kind].found[at].held_out == one.held_out);
      for (std::size_t k = 0; k < one.held_out.size(); ++k)
        CHECK(singly.kinds[kind].found[at].held_out[k] == doctest::Approx(one.held_out[k]).epsilon(1e-4));
    }
  }
}

TEST_CASE("predictability: what counts, what has peers, and what is refused") {
  const act::runtime::model model = act_test::read_any_model(act_test::parity_folder / "families/qwen3/base");
  const windows_of_tokens windows = made_windows(10, 30, model.config.vocabulary);
  SUBCASE("a window's first tokens can be left out") {
    const predictability found = predicted(model, windows, 8, {.references = 1, .left_out = 4});
    CHECK(found.fitted_tokens == 8 * 26);
    CHECK(found.held_out_tokens == 2 * 26);
  }
  SUBCASE("kinds can be chosen, and memory is what they take") {
    const act::inspection::predictability_options one{.of = {head_vectors::values}, .references = 1};
    CHECK(predicted(model, windows, 8, one).kinds.size() == 1);
    const std::uint64_t width = model.config.kv_heads * model.config.head_size;
    CHECK(head_moments::bytes(model.config, one) ==
          2 * model.config.layers * (4 * width * (width + 1) + 8 * width));
  }
  SUBCASE("a layer's only key head has no peers but below") {
    const act::runtime::model single =
        act_test::read_any_model(act_test::parity_folder / "families/gemma3_text/base");
    REQUIRE(single.config.kv_heads == 1);
    const windows_of_tokens texts = made_windows(10, 30, single.config.vocabulary);
    const predictability alone = predicted(single, texts, 8, {.of = {head_vectors::keys}, .references = 2});
    CHECK(!alone.kinds[0].mean(1, &head_prediction::held_out).has_value());
    const predictability below =
        predicted(single, texts, 8, {.of = {head_vectors::keys}, .references = 2, .lower_layers = 2});
    CHECK(below.kinds[0].at(0, 0).references.empty());
    CHECK(below.kinds[0].at(1, 0).references == std::vector<act::layer_head>{{0, 0}});
    CHECK(below.kinds[0].at(5, 0).references.size() == 2);
    for (const act::layer_head& each : below.kinds[0].at(5, 0).references) {
      CHECK(each.layer >= 3);
      CHECK(each.layer < 5);
    }
  }
  SUBCASE("refused") {
    const auto refused = [&](act::inspection::predictability_options options) {
      return act_test::message_of([&] { (void)head_moments(model, std::move(options)); });
    };
    CHECK(refused({.references = 0}).find("references") != std::string::npos);
    CHECK(refused({.ridge = -1}).find("ridge") != std::string::npos);
    CHECK(refused({.ridge = std::nan("")}).find("ridge") != std::string::npos);
    const head_moments empty(model, {});
    CHECK(act_test::message_of([&] { (void)predict_heads(empty); }).find("too short") != std::string::npos);
    const act::runtime::model learned =
        act_test::read_any_model(act_test::parity_folder / "families/gpt2/base");
    CHECK(act_test::message_of([&] {
            (void)head_moments(learned, {.of = {head_vectors::rotated_keys}});
          }).find("no rotary positions") != std::string::npos);
  }
}

TEST_CASE("maps of keys: the reference heads that explain most, and a decoder that makes keys of theirs") {
  const act::runtime::model model = act_test::read_any_model(act_test::parity_folder / "families/qwen3/base");
  REQUIRE(model.config.kv_heads == 2);
  const windows_of_tokens windows = made_windows(12, 40, model.config.vocabulary);
  head_moments sums(model, {.of = {head_vectors::keys}});
  sums.add(windows, false);
  const act::inspection::fitted_key_maps fitted = act::inspection::fit_key_maps(sums, 1);
  REQUIRE(fitted.maps.layers.size() == model.config.layers);
  // One peer: the reference is the head that the other is better predicted from.
  head_moments held(model, {.of = {head_vectors::keys}});
  held.add(windows, false);
  held.add(windows, true);
  const predictability found = predict_heads(held);
  double mean = 0;
  for (std::size_t layer = 0; layer < model.config.layers; ++layer) {
    const double of_first = found.kinds[0].at(layer, 1).fitted[0],
                 of_second = found.kinds[0].at(layer, 0).fitted[0];
    CHECK(fitted.maps.layers[layer].references == std::vector<std::size_t>{of_first > of_second ? 0U : 1U});
    mean += std::max(of_first, of_second) / static_cast<double>(model.config.layers);
  }
  CHECK(fitted.explained == doctest::Approx(mean).epsilon(1e-9));
  CHECK(act_test::contains(act_test::message_of([&] { (void)act::inspection::fit_key_maps(sums, 2); }),
                           "fewer"));
  head_moments short_of(model, {.of = {head_vectors::keys}});
  const std::size_t needed = act::inspection::tokens_for_key_maps(model.config, 1);
  short_of.add(made_windows(1, needed - 1, model.config.vocabulary), false);
  CHECK(act_test::contains(act_test::message_of([&] { (void)act::inspection::fit_key_maps(short_of, 1); }),
                           "too few tokens"));

  // Exact maps change nothing: the second key head as a copy of the first.
  std::vector<std::unique_ptr<std::vector<float>>> copies;
  act::runtime::model copied = model;
  for (act::runtime::decoder_layer& layer : copied.layers) {
    const act::runtime::stored_matrix from = layer.key_value.weight;
    const std::size_t size = model.config.head_size;
    std::vector<float>& numbers = *copies.emplace_back(std::make_unique<std::vector<float>>(from.size()));
    for (std::size_t row = 0; row < from.rows(); ++row) {
      const std::size_t source = row >= size && row < 2 * size ? row - size : row;
      from.copy_row(source, std::span(numbers).subspan(row * from.columns(), from.columns()));
    }
    layer.key_value.weight = act::runtime::stored_matrix(
        act::runtime::tensor_view{.name = "copied",
                                  .type = act::runtime::tensor_type::f32,
                                  .shape = {from.rows(), from.columns()},
                                  .bytes = std::as_bytes(std::span<const float>(numbers))});
    if (!layer.key_value.bias.empty())
      std::copy_n(layer.key_value.bias.begin(), size,
                  layer.key_value.bias.begin() + static_cast<std::ptrdiff_t>(size));
  }
  head_moments twins(copied, {.of = {head_vectors::keys}});
  twins.add(windows, false);
  act::inspection::fitted_key_maps exact = act::inspection::fit_key_maps(twins, 1);
  CHECK(exact.explained == doctest::Approx(1).epsilon(1e-6));
  const act::runtime::cache_policy policy{
      .window = 0,
      .sinks = 0,
      .reference_heads = 1,
      .maps = std::make_shared<const act::runtime::key_maps>(std::move(exact.maps))};
  act::runtime::decoder whole(copied), made(copied, {}, policy);
  const auto same = [](std::span<const float> a, std::span<const float> b) {
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
      largest = std::max(largest, std::abs(static_cast<double>(a[i])));
    }
    return worst / largest;
  };
  CHECK(same(whole.start(windows[0]), made.start(windows[0])) < 1e-4);
  for (const act::runtime::token_id next : {3, 9, 21, 5})
    CHECK(same(whole.append(next), made.append(next)) < 1e-4);
  // Of the model itself they don't: keys are made, and others than the model's.
  const act::runtime::cache_policy lossy{.window = 0,
                                         .sinks = 0,
                                         .reference_heads = 1,
                                         .maps = std::make_shared<const act::runtime::key_maps>(fitted.maps)};
  act::runtime::decoder plain(model), approximate(model, {}, lossy);
  const double off = same(plain.start(windows[0]), approximate.start(windows[0]));
  CHECK(off > 1e-4);
  CHECK(off < 1);

  // Samples' words through it, whole prompts at once: as token by token.
  std::vector<act::tasks::prepared_sample> samples;
  for (std::size_t i = 0; i < 3; ++i)
    samples.push_back({.index = i, .label = 0, .prompt = windows[i], .words = {4, 7}});
  const auto scores =
      act::tasks::score_through_cache(model, samples, lossy, act::runtime::cache_type::f32, {});
  const auto everything =
      act::tasks::score_through_cache(model, samples, {}, act::runtime::cache_type::f32, {});
  const act::tasks::sample_scores plainly = act::tasks::score_samples(model, samples, {});
  double apart = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::span<const float> logits = approximate.start(std::span(windows[i]).first(1));
    for (std::size_t at = 1; at < windows[i].size(); ++at)
      logits = approximate.append(windows[i][at]);
    for (std::size_t word = 0; word < 2; ++word) {
      const double expected = static_cast<double>(logits[static_cast<std::size_t>(samples[i].words[word])]);
      CHECK(scores[i][word] == doctest::Approx(expected).epsilon(1e-3));
      CHECK(everything[i][word] == doctest::Approx(plainly.plain[i][word]).epsilon(1e-3));
      apart = std::max(apart, std::abs(scores[i][word] - plainly.plain[i][word]));
    }
  }
  CHECK(apart > 1e-3);
}

TEST_CASE("random weights: the same architecture, drawn by a seed") {
  for (const char* name : {"qwen3/base", "gpt2/base", "bloom/base"}) {
    CAPTURE(name);
    const act::runtime::model like = act_test::read_any_model(act_test::parity_folder / "families" / name);
    const act::runtime::model made = act::runtime::with_random_weights(like, 1);
    const act::runtime::model again = act::runtime::with_random_weights(like, 1);
    const act::runtime::model other = act::runtime::with_random_weights(like, 2);
    double sum = 0, squares = 0, count = 0;
    bool differs = false;
    for (std::size_t layer = 0; layer < made.layers.size(); ++layer) {
      const act::runtime::stored_matrix& keys = made.layers[layer].key_value.weight;
      REQUIRE(keys.rows() == like.layers[layer].key_value.weight.rows());
      REQUIRE(keys.columns() == like.layers[layer].key_value.weight.columns());
      for (std::size_t row = 0; row < keys.rows(); ++row) {
        for (std::size_t column = 0; column < keys.columns(); ++column) {
          const double value = keys.at(row, column);
          sum += value;
          squares += value * value;
          count += 1;
          CHECK(keys.at(row, column) == again.layers[layer].key_value.weight.at(row, column));
          differs = differs || keys.at(row, column) != other.layers[layer].key_value.weight.at(row, column);
        }
      }
      for (const float weight : made.layers[layer].attention_norms.input.weight)
        CHECK(weight == 1.0F);
      for (const float bias : made.layers[layer].query.bias)
        CHECK(bias == 0.0F);
    }
    CHECK(differs);
    CHECK(std::abs(sum / count) < 0.002);
    CHECK(std::sqrt(squares / count) == doctest::Approx(act::runtime::random_weight_deviation).epsilon(0.05));
    // It runs, and outlives what it was made like.
    const windows_of_tokens windows = made_windows(10, 30, like.config.vocabulary);
    const predictability found = predicted(made, windows, 8, {.references = 1});
    CHECK(found.kinds[0].mean(1, &head_prediction::held_out).has_value());
  }
}
