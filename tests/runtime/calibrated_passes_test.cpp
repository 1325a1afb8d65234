// Several calibrated passes: each is what it is alone, and what they have in common is run once.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/log_probabilities.hpp>
#include <act/runtime/products/profile.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "runtime/parity_golden.hpp"

using act::runtime::attention_calibration;
using act::runtime::matrix;
using act::runtime::model_calibration;
using act::runtime::token_id;

namespace {

const std::vector<std::vector<token_id>> prompts{{3, 9, 4, 7, 7, 2, 30, 5, 11, 2, 2, 8},
                                                 {8, 2, 2, 5, 6, 12, 40, 7}};

act::runtime::model tiny_model() {
  return act::runtime::read_model(act_test::parity_folder / "tiny-llama-new-config");
}

std::vector<model_calibration> calibrations() {
  std::vector<model_calibration> all(9);
  all[0].heads = act::head_set{{0, 1}, {1, 0}};
  all[1].heads = act::head_set{{0, 1}, {1, 0}, {2, 3}};  // parts from the first in layer 2
  all[2].heads = all[0].heads;                           // is the first
  all[3].heads = act::head_set{{0, 1}};                  // parts from the first in layer 1
  all[4].heads = all[3].heads;
  all[5].heads = all[3].heads;
  all[6].heads = act::head_set{{2, 1}};
  all[7].heads = all[0].heads;
  all[7].masks = true;
  for (model_calibration& each : all)
    each.options.sinks.alpha = 1.2;  // random weights have weak sinks
  all[4].options.beta = 0;
  all[5].strengths = {0.1};
  return all;  // the last names no head
}

bool same_bits(const matrix& a, const matrix& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && std::equal(a.data(), a.data() + a.size(), b.data());
}

std::uint64_t layers_run(const std::function<void()>& passes) {
  act::runtime::start_profile();
  passes();
  return act::runtime::current_profile()[static_cast<std::size_t>(act::runtime::operation::query)].calls;
}

}  // namespace

TEST_CASE("calibrated passes that agree in their lower layers run these once, to the bit") {
  const act::runtime::model model = tiny_model();
  const std::vector<model_calibration> each = calibrations();
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, prompts);
  act::runtime::plain_and_each all;
  // The plain pass: 3 layers. From layer 0 four ways (calibrated, beta 0, strength 0.1, masked): 4; one of
  // them parts in layer 1: 5; and again in layer 2: 6. From layer 2 one.
  CHECK(layers_run([&] { all = act::runtime::run_each(model, packed, each); }) == 3 + 4 + 5 + 6 + 1);
  REQUIRE(all.calibrated.size() == each.size());
  for (std::size_t i = 0; i < each.size(); ++i) {
    CAPTURE(i);
    const act::runtime::plain_and_calibrated alone = act::runtime::run_both(model, packed, each[i]);
    CHECK(same_bits(alone.calibrated, all.calibrated[i]));
    CHECK(same_bits(alone.plain, all.plain));
  }
  CHECK(same_bits(all.calibrated[0], all.calibrated[2]));
  for (const std::size_t other : {1U, 3U, 4U, 5U, 6U, 7U}) {
    CAPTURE(other);
    CHECK_FALSE(same_bits(all.calibrated[0], all.calibrated[other]));
  }
}

TEST_CASE("options that can't be are refused, whichever calibration has them") {
  const act::runtime::model model = tiny_model();
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, prompts);
  std::vector<model_calibration> each(3);
  for (model_calibration& one : each)
    one.heads = act::head_set{{1, 0}};
  for (const std::size_t wrong : {0U, 1U, 2U}) {
    CAPTURE(wrong);
    std::vector<model_calibration> asked = each;
    asked[wrong].options.beta = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS((void)act::runtime::run_each(model, packed, asked), act::error);
  }
}

TEST_CASE("calibrations that differ in their parts of the prompts alone are told apart") {
  const act::runtime::model model = tiny_model();
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, prompts);
  const std::vector<std::vector<std::size_t>> some{{1, 2}, {1}}, others{{4, 5}, {3}};
  std::vector<model_calibration> each(2);
  for (model_calibration& one : each) {
    one.heads = act::head_set{{1, 0}};
    one.options.columns = act::column_choice::span;
    one.options.redistribute = act::redistribution::renormalised;
    one.options.factor = 5;
  }
  each[0].subsets = some;
  each[1].subsets = others;
  const act::runtime::plain_and_each all = act::runtime::run_each(model, packed, each);
  CHECK_FALSE(same_bits(all.calibrated[0], all.calibrated[1]));
  for (std::size_t i = 0; i < 2; ++i)
    CHECK(same_bits(act::runtime::run_both(model, packed, each[i]).calibrated, all.calibrated[i]));
}

TEST_CASE("so do those that score texts") {
  const act::runtime::model model = tiny_model();
  const std::vector<model_calibration> each = calibrations();
  std::vector<std::vector<act::runtime::scored_text>> families(2);
  for (std::size_t family = 0; family < 2; ++family) {
    for (const token_id answer : {5, 6, 17}) {
      families[family].push_back({.tokens = prompts[family], .first_scored = prompts[family].size()});
      families[family].back().tokens.insert(families[family].back().tokens.end(), {answer, 3});
    }
  }
  act::runtime::text_log_probabilities_of_each all;
  CHECK(layers_run([&] { all = sum_log_probabilities_of_each(model, families, each); }) == 3 + 4 + 5 + 6 + 1);
  for (std::size_t i = 0; i < each.size(); ++i) {
    CAPTURE(i);
    const auto alone = sum_log_probabilities(model, families, each[i]);
    CHECK(alone.calibrated == all.calibrated[i]);
    CHECK(alone.plain == all.plain);
  }
}

TEST_CASE("calibrations of a layer are the same when nothing that counts differs") {
  const std::vector<std::vector<std::size_t>> some{{1, 2}}, equal{{1, 2}}, other{{1, 3}};
  attention_calibration one;
  one.heads = act::head_set{{0, 1}, {0, 3}}.in_layer(0);
  one.strengths = {0.4, 0.2};
  one.subsets = some;
  const attention_calibration same = [&] {
    attention_calibration made = one;
    made.subsets = equal;
    return made;
  }();
  CHECK(one.does_the_same_as(same));
  const std::size_t position = 4;
  const double strength = 0.3;
  using change = std::function<void(attention_calibration&)>;
  const std::vector<change> changes{
      [](attention_calibration& c) {
        c.heads = act::head_set{{0, 1}, {0, 2}}.in_layer(0);
      },
      [](attention_calibration& c) { c.strengths[1] = 0.3; },
      [&](attention_calibration& c) { c.subsets = other; },
      [&](attention_calibration& c) { c.subsets = {}; },
      [](attention_calibration& c) { c.masks = true; },
      [](attention_calibration& c) { c.options.beta = 0.5; },
      [](attention_calibration& c) { c.options.sinks.rule = act::sink_rule::absolute; },
      [](attention_calibration& c) { c.options.sinks.alpha = 4; },
      [](attention_calibration& c) { c.options.sinks.tau = 0.2; },
      [](attention_calibration& c) { c.options.sinks.min_visible_rows = 2; },
      [](attention_calibration& c) { c.options.sinks.position_limit = 3; },
      [](attention_calibration& c) { c.options.redistribute = act::redistribution::renormalised; },
      [](attention_calibration& c) { c.options.theta = 1.2; },
      [&](attention_calibration& c) {
        c.options.subset = {&position, 1};
      },
      [](attention_calibration& c) { c.options.behave_as = act::compatibility::authors; },
      [](attention_calibration& c) { c.options.columns = act::column_choice::initial_token; },
      [&](attention_calibration& c) {
        c.options.span = {&position, 1};
      },
      [](attention_calibration& c) { c.options.factor = 2; },
      [&](attention_calibration& c) {
        c.options.strengths = {&strength, 1};
      },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CAPTURE(i);
    attention_calibration changed = same;
    changes[i](changed);
    CHECK_FALSE(one.does_the_same_as(changed));
    CHECK_FALSE(changed.does_the_same_as(one));
  }

  // Where no head is calibrated, options aren't asked; where heads are masked, neither.
  attention_calibration none = one, also_none = one;
  none.heads = also_none.heads = {};
  also_none.options.beta = 0.5;
  CHECK(none.does_the_same_as(also_none));
  attention_calibration masked = one, also_masked = one;
  masked.masks = also_masked.masks = true;
  also_masked.options.beta = 0.5;
  CHECK(masked.does_the_same_as(also_masked));
}
