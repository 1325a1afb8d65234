// UniBias's choice of heads against PyTorch that goes by the published definitions
// (tests/golden/rivals/make_unibias.py): what single heads say of labels, the criteria, the sets that the
// grid gives, the label probabilities with each masked, and which one is taken.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <act/error.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/head_logits.hpp>
#include <act/runtime/label_logits.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/log_probabilities.hpp>
#include <act/search/label_bias.hpp>
#include <act/search/unibias.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "message_of.hpp"
#include "tiny_search.hpp"

namespace {

using nlohmann::json;

const std::filesystem::path golden = ACT_TEST_GOLDEN_DIR;

act_test::tiny_search search_of(const json& of) {
  act_test::tiny_search made{
      .model = act::runtime::read_model(golden / "parity" / of.at("model").get<std::string>()),
      .plan = {},
      .golden_sinks = {}};
  const act::runtime::answer_tokens labels = of.at("labels");
  const bool one_token_each =
      std::all_of(labels.begin(), labels.end(), [](const auto& label) { return label.size() == 1; });
  for (const json& tokens : of.at("prompts")) {
    act::tasks::prepared_sample sample{
        .index = made.plan.samples.size(), .label = 0, .prompt = tokens, .words = {}};
    for (const auto& label : labels) {
      if (one_token_each) sample.words.push_back(label.front());
    }
    if (!one_token_each) sample.greedy_tokens = labels;
    made.plan.samples.push_back(sample);
  }
  made.plan.range = {0, made.model.config.layers - 1};
  made.plan.masks = true;
  made.plan.fingerprint = "tiny";
  made.plan.sources.push_back({.task = "none", .file = "none", .sha256 = "none", .indices = {}});
  // Samples in more than one chunk.
  made.plan.tokens_per_chunk = 80;
  return made;
}

act::head_set heads_of(const json& list) {
  act::head_set heads;
  for (const json& each : list)
    heads.insert(each.at(0), each.at(1));
  return heads;
}

json cases() {
  std::ifstream in(golden / "rivals" / "unibias.json");
  return json::parse(in).at("models");
}

}  // namespace

TEST_CASE("heads' criteria, the grid's sets, label probabilities and the choice are the published method's") {
  std::size_t masked = 0, rejected = 0;
  for (const json& of : cases()) {
    CAPTURE(of.at("model").get<std::string>());
    const act_test::tiny_search tiny = search_of(of);
    std::size_t heard = 0;
    const auto hear = [&](std::size_t samples) { heard += samples; };
    const std::vector<act::search::head_criteria> heads =
        act::search::criteria_of_heads(tiny.model, tiny.plan, hear);
    CHECK(heard == tiny.plan.samples.size());
    REQUIRE(heads.size() == of.at("heads").size());
    for (std::size_t i = 0; i < heads.size(); ++i) {
      const json& expected = of.at("heads")[i];
      CAPTURE(i);
      CHECK(heads[i].layer == expected.at("layer"));
      CHECK(heads[i].head == expected.at("head"));
      const auto near = [&](double found, const char* name, double to) {
        CHECK(std::abs(found - expected.at(name).get<double>()) <=
              to * (1 + std::abs(expected.at(name).get<double>())));
      };
      near(heads[i].logits, "logits", 1e-5);
      near(heads[i].relatedness, "relatedness", 1e-5);
      near(heads[i].bias, "bias", 1e-3);  // divides by a mean of labels that may be nearly 0
      near(heads[i].variation, "variation", 1e-5);
    }

    const std::vector<act::search::biased_set> sets =
        act::search::biased_sets(heads, act::search::published_thresholds());
    REQUIRE(sets.size() == of.at("sets").size());
    for (std::size_t i = 0; i < sets.size(); ++i) {
      CHECK(sets[i].heads == heads_of(of.at("sets")[i]));
      const json& thresholds = of.at("thresholds")[i];
      CHECK(sets[i].thresholds.bias == thresholds.at(0).get<double>());
      CHECK(sets[i].thresholds.relatedness == thresholds.at(1).get<double>());
      CHECK(sets[i].thresholds.variation == thresholds.at(2).get<double>());
    }

    heard = 0;
    const std::vector<std::vector<double>> probabilities =
        act::search::label_probabilities(tiny.model, tiny.plan, sets, hear);
    CHECK(heard == sets.size() * tiny.plan.samples.size());
    REQUIRE(probabilities.size() == sets.size());
    const std::vector<std::size_t> kept = of.at("kept");
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const std::vector<double> expected = of.at("probabilities")[i];
      REQUIRE(probabilities[i].size() == expected.size());
      for (std::size_t label = 0; label < expected.size(); ++label)
        CHECK(probabilities[i][label] == doctest::Approx(expected[label]).epsilon(2e-5));
      CHECK(act::search::label_bias(probabilities[i]) ==
            doctest::Approx(of.at("bias")[i].get<double>()).epsilon(1e-4));
      const bool keeps = std::find(kept.begin(), kept.end(), i) != kept.end();
      CHECK(act::search::loses_labels(probabilities, i) == !keeps);
      if (!keeps && of.at("bias")[i] < of.at("bias")[of.at("chosen").get<std::size_t>()]) ++rejected;
    }
    CHECK(act::search::least_biased(probabilities) == of.at("chosen").get<std::size_t>());
    if (of.at("chosen") != 0) ++masked;
  }
  // The golden can tell: sets are masked, and some would be if it weren't for the rejection.
  CHECK(masked >= 4);
  CHECK(rejected >= 2);
}

TEST_CASE("parts of all heads add up to what attention adds, whatever the layer does to its branch") {
  for (const char* name : {"families/olmo2/base", "families/stablelm/base", "families/gpt_neox/base",
                           "families/gemma2/base", "families/opt/projection", "families/opt/norm-after"}) {
    CAPTURE(name);
    const act::runtime::model model = act::runtime::read_model(golden / "parity" / name);
    const std::vector<std::vector<act::runtime::token_id>> prompts{{4, 9, 11, 5, 7}, {8, 3}};
    const act::runtime::packed_prompts packed = act::runtime::pack(model.config, prompts);
    const std::vector<act::runtime::token_id> words{5, 12, 3};
    const std::vector<act::runtime::layer_head_logits> found =
        act::runtime::head_logits(model, packed, 0, model.config.layers, words);
    REQUIRE(found.size() == model.config.layers);
    // The same with no layer before, or behind, those that are asked for.
    const auto later = act::runtime::head_logits(model, packed, 1, 2, words);
    REQUIRE(later.size() == 1);
    for (std::size_t i = 0; i < later[0].heads.size(); ++i)
      CHECK(act_test::largest_difference(later[0].heads[i], found[1].heads[i]) < 1e-5);
    CHECK(act_test::largest_difference(later[0].input[1], found[1].input[1]) < 1e-5);

    // Heads and biases make what attention's branch is; measured by running the layer with and without it.
    act::runtime::layer_buffers buffers;
    act::runtime::matrix hidden = act::runtime::embed(model, packed);
    const act::runtime::rotary_tables rotary(model.config.rotary, packed.positions);
    act::runtime::run_layer(model, 0, {.sequences = packed.sequences, .rotary = rotary}, {}, hidden, buffers);
    const act::runtime::decoder_layer& layer = model.layers[0];
    act::runtime::matrix branch(hidden.rows(), hidden.cols()), nothing(hidden.rows(), hidden.cols());
    apply(layer.attention_output, buffers.attention, branch);
    if (layer.attention_norms.output.present()) apply(layer.attention_norms.output, branch, branch);
    const act::runtime::row_vector& bias = layer.attention_norms.output.present()
                                               ? layer.attention_norms.output.bias
                                               : layer.attention_output.bias;
    const bool normalised_bias =
        layer.attention_norms.output.present() && !layer.attention_output.bias.empty();
    REQUIRE_FALSE(normalised_bias);
    for (std::size_t prompt = 0; prompt < prompts.size(); ++prompt) {
      const act::runtime::attention_sequence& at = packed.sequences[prompt];
      const std::span<const float> last = branch.row(at.first_query + at.queries - 1);
      for (std::size_t word = 0; word < words.size(); ++word) {
        std::vector<float> row(model.output.rows().columns());
        model.output.rows().copy_row(static_cast<std::size_t>(words[word]), row);
        double expected = 0;
        for (std::size_t to = 0; to < row.size(); ++to) {
          double out = 0;
          if (model.project_out.outputs() == 0) {
            out = static_cast<double>(last[to]) - (bias.empty() ? 0.0 : static_cast<double>(bias[to]));
          } else {
            for (std::size_t from = 0; from < last.size(); ++from)
              out +=
                  static_cast<double>(model.project_out.weight.at(to, from)) *
                  (static_cast<double>(last[from]) - (bias.empty() ? 0.0 : static_cast<double>(bias[from])));
          }
          expected += out * static_cast<double>(row[to]);
        }
        double sum = 0;
        for (std::size_t head = 0; head < model.config.heads; ++head)
          sum += found[0].heads[prompt * model.config.heads + head][word];
        CHECK(sum == doctest::Approx(expected).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("probabilities of several words are those that single targets have") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  std::vector<std::vector<act::runtime::token_id>> prompts;
  for (std::size_t i = 0; i < 3; ++i)
    prompts.push_back(tiny.plan.samples[i].prompt);
  const act::runtime::matrix hidden =
      act::runtime::run_both(tiny.model, act::runtime::pack(tiny.model.config, prompts), {}).plain;
  const std::vector<act::runtime::token_id> words{101, 7, 50};
  const auto found = act::runtime::log_probabilities_of(tiny.model, hidden, words);
  REQUIRE(found.size() == 3);
  for (std::size_t word = 0; word < words.size(); ++word) {
    const std::vector<act::runtime::token_id> targets(3, words[word]);
    const auto expected = act::runtime::token_log_probabilities(tiny.model, hidden, targets);
    for (std::size_t row = 0; row < 3; ++row)
      CHECK(found[row][word] == expected[row]);
  }
}

TEST_CASE("criteria by hand, one sample, and heads that are all but biased") {
  using act::search::criteria_of;
  const std::vector<std::vector<double>> head{{3, -1}, {5, -1}}, input{{10, -10}, {10, 10}};
  const act::search::head_criteria found = criteria_of({2, 1}, head, input);
  CHECK(found.layer == 2);
  CHECK(found.head == 1);
  CHECK(found.logits == doctest::Approx(5));         // |4| + |-1|
  CHECK(found.relatedness == doctest::Approx(0.5));  // over |10| + |0|
  CHECK(found.bias == doctest::Approx(2.5 / 1.5));   // labels 4 and -1 are 2.5 off their mean, 1.5
  CHECK(found.variation == doctest::Approx(std::sqrt(2.0) / 5));
  const act::search::bias_thresholds below{.bias = 1.6, .relatedness = 0.4, .variation = 0.3};
  CHECK(is_biased(found, below));
  CHECK_FALSE(is_biased(found, {.bias = 1.7, .relatedness = 0.4, .variation = 0.3}));
  CHECK_FALSE(is_biased(found, {.bias = 1.6, .relatedness = 0.5, .variation = 0.3}));
  CHECK_FALSE(is_biased(found, {.bias = 1.6, .relatedness = 0.4, .variation = 0.28}));
  // One sample doesn't say how much a head varies; the same one twice does.
  CHECK_FALSE(is_biased(criteria_of({2, 1}, {head.data(), 1}, {input.data(), 1}), below));
  const std::vector<std::vector<double>> same{{3, -1}, {3, -1}};
  CHECK(is_biased(criteria_of({2, 1}, same, input), {.bias = 1, .relatedness = 0.3, .variation = 0.1}));
  // A tenth of a logit is nothing, however biased.
  const std::vector<std::vector<double>> faint{{0.15, 0.02}, {0.16, 0.02}}, none{{0, 0}, {0, 0}};
  CHECK_FALSE(is_biased(criteria_of({0, 0}, faint, same), {}));
  CHECK_FALSE(is_biased(criteria_of({0, 0}, none, none), {.variation = 1}));
  CHECK(act::search::published_thresholds().size() == 100);
}

TEST_CASE("the least biased set that keeps the labels' probability is taken, the first of equal ones") {
  using act::search::least_biased;
  using table = std::vector<std::vector<double>>;
  CHECK(act::search::label_bias(std::vector<double>{0.2, 0.2, 0.2}) == doctest::Approx(0));
  CHECK(act::search::label_bias(std::vector<double>{0.1, 0.3}) ==
        doctest::Approx((std::log(2.0) + std::log(1.5)) / 2));
  CHECK(least_biased(table{{0.6, 0.2}}) == 0);
  CHECK(least_biased(table{{0.6, 0.2}, {0.5, 0.3}, {0.4, 0.4}}) == 2);
  CHECK(least_biased(table{{0.6, 0.2}, {0.5, 0.3}, {0.38, 0.38}}) == 1);  // 0.76 is no more than 0.95 x 0.8
  CHECK(least_biased(table{{0.6, 0.2}, {0.4, 0.4}, {0.5, 0.5}}) == 1);
  CHECK(least_biased(table{{0.4, 0.4}, {0.7, 0.3}}) == 0);
}

TEST_CASE("UniBias asks for one file's samples with the same labels") {
  const act_test::tiny_search words = act_test::make_tiny_search();
  const auto says = [](const act::search::search_plan& plan, const char* what) {
    const std::string message = act_test::message_of([&] { act::search::check_labels(plan, "--select"); });
    CAPTURE(message);
    CHECK(message.find("--select: ") == 0);
    CHECK(message.find(what) != std::string::npos);
  };
  CHECK_NOTHROW(act::search::check_labels(words.plan));
  CHECK_NOTHROW(act::search::check_labels(act_test::with_greedy_tokens(act_test::make_tiny_search()).plan));
  says(act_test::with_options(act_test::make_tiny_search()).plan, "label words");
  act::search::search_plan plan = words.plan;
  plan.samples[2].words.pop_back();
  says(plan, "sample 2 has others");
  plan = words.plan;
  plan.sources.push_back(plan.sources.front());
  says(plan, "one file");
  plan = words.plan;
  plan.samples.clear();
  says(plan, "needs a sample");
}

TEST_CASE("a model whose numbers aren't finite is refused while it is looked at, and while sets are masked") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  tiny.model.layers[0].feed_forward_norms.input.weight[0] = std::nanf("");
  const auto says = [](const auto& call) {
    CHECK(act_test::message_of(call).find("aren't finite") != std::string::npos);
  };
  says([&] { (void)act::search::criteria_of_heads(tiny.model, tiny.plan); });
  const std::vector<act::search::biased_set> sets(1);
  says([&] { (void)act::search::label_probabilities(tiny.model, tiny.plan, sets); });
}
