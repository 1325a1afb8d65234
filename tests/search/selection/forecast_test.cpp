// Forecasts: how often their intervals hold, that they are the seed's, and what a heads file keeps of them.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/search/heads_file.hpp>
#include <act/search/selection/forecast.hpp>
#include <act/search/selection/select_heads.hpp>
#include <act/search/selection/stored_forecast.hpp>
#include <act/search/trial_table.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "golden_selection.hpp"

namespace {

using act::search::search_objective;

// Heads that help, shift the label prior, or only add noise, drawn once; samples of two labels drawn as often
// as one likes.
class world {
 public:
  explicit world(std::uint64_t seed) : draw_(seed) {
    for (std::size_t head = 0; head < 15; ++head) {
      heads_.push_back({head / 5, head % 5});
      pull_.push_back(head % 3 == 0 ? 0.25 * normal() : 0);
      shift_.push_back(0.3 * normal());
    }
    prior_ = normal();
  }
  act::search::trial_table table(std::size_t samples) {
    std::vector<act::search::table_sample> of;
    for (std::size_t i = 0; i < samples; ++i)
      of.push_back({.label = draw_() % 2, .scores = 2, .source = 0});
    act::search::trial_table made(heads_, of);
    for (std::size_t i = 0; i < samples; ++i) {
      const double right = of[i].label == 1 ? 1 : -1;
      const double plain = normal() + 0.7 * right + prior_;
      made.set_plain(i, std::vector<double>{0, plain});
      for (std::size_t head = 0; head < heads_.size(); ++head) {
        made.set_trial(head, i,
                       std::vector<double>{0, plain + pull_[head] * right + shift_[head] + 0.2 * normal()},
                       true);
      }
    }
    return made;
  }

 private:
  double uniform() { return (static_cast<double>(draw_() >> 11) + 0.5) / 9007199254740992.0; }
  double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(6.283185307179586 * uniform()); }

  act::runtime::splitmix64 draw_;
  std::vector<act::layer_head> heads_;
  std::vector<double> pull_, shift_;
  double prior_ = 0;
};

act::search::heads_file file_with(const std::string& forecast) {
  return act::search::parse_heads_file(R"({"heads": [[1, 0]], "evidence": {"forecast": )" + forecast + "}}",
                                       "f.json");
}

const act::search::asked_task sst2{.task = "sst2", .scoring = "labels", .final_space = true};

}  // namespace

TEST_CASE("95 % forecast intervals hold the gain on unseen samples about so often, and say something") {
  int held_accuracy = 0, held_auc = 0, made = 0;
  double widths = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    world from(seed);
    const act::search::trial_table seen = from.table(80), unseen = from.table(3000);
    const act::search::selection_rule rule = act::search::parse_selection("top", search_objective::centred);
    const act::search::head_selection picked = act::search::select_heads(seen, rule);
    if (picked.heads.empty()) continue;
    const act::search::score_changes later(unseen);
    std::vector<std::size_t> set;
    for (std::size_t head = 0; head < later.heads().size(); ++head) {
      if (act::search::heads_of(picked.heads).contains(later.heads()[head])) set.push_back(head);
    }
    std::vector<std::vector<double>> joint;
    const std::vector<double> scores = later.estimate(set);
    for (std::size_t i = 0; i < unseen.samples().size(); ++i) {
      const auto row = later.row(scores, i);
      joint.emplace_back(row.begin(), row.end());
    }
    const act::search::source_verification truth = act::search::verify(later, set, joint).front();
    const act::search::source_forecast forecast = act::search::forecast_selection(seen, rule).front();
    const auto holds = [](const act::search::forecast_measure& of, const act::search::verified_measure& in) {
      const double gain = in.joint - in.plain;
      return of.gain_interval.lo <= gain && gain <= of.gain_interval.hi ? 1 : 0;
    };
    REQUIRE((forecast.auc && truth.auc));
    held_accuracy += holds(forecast.accuracy, truth.accuracy);
    held_auc += holds(*forecast.auc, *truth.auc);
    widths += forecast.accuracy.gain_interval.hi - forecast.accuracy.gain_interval.lo;
    ++made;
  }
  MESSAGE(made << " forecasts, " << held_accuracy << " hold for accuracy, " << held_auc
               << " for AUC; mean width " << widths / made);
  CHECK(made >= 20);
  // Of 95 % intervals fewer than 85 % hold by chance once in a thousand times among 40.
  CHECK(held_accuracy >= 0.85 * made);
  CHECK(held_auc >= 0.85 * made);
  CHECK(widths / made < 0.4);
}

TEST_CASE("a forecast is the seed's, of each file, and none of too few samples") {
  const act::search::score_changes changes(act_test::golden_trials());
  const act::search::selection_rule rule =
      act::search::parse_selection("top:4", search_objective::likelihood);
  const auto forecast = [&](std::uint64_t seed) {
    return forecast_gain(rule, changes, {.folds = 5, .repeats = 1, .seed = seed}, {});
  };
  const auto found = forecast(1);
  REQUIRE(found.size() == 3);
  CHECK(found[0].samples == 22);
  CHECK(found[1].samples == 11);
  CHECK(found[2].samples == 9);
  for (const act::search::source_forecast& each : found) {
    CHECK(each.accuracy.gain == doctest::Approx(each.accuracy.calibrated - each.accuracy.plain));
    CHECK(each.accuracy.gain_interval.lo <= each.accuracy.gain);
    CHECK(each.accuracy.gain <= each.accuracy.gain_interval.hi);
  }
  CHECK(forecast(1)[0].accuracy.calibrated == found[0].accuracy.calibrated);
  CHECK(forecast(2)[0].auc->calibrated != found[0].auc->calibrated);
  const act::search::score_changes few(act::search::trial_table({{0, 0}}, {{0, 2, 0}, {1, 2, 0}}));
  CHECK(forecast_gain(rule, few, {}, {}).empty());
}

TEST_CASE("the forecast of heads that were fixed beforehand is what the estimate says of all samples") {
  const act::search::score_changes changes(act_test::golden_trials());
  const auto found = forecast_gain(act::search::parse_selection("all", search_objective::accuracy), changes,
                                   {.folds = 5, .repeats = 1, .seed = 0}, {});
  std::vector<std::size_t> all;
  for (std::size_t head = 0; head < changes.heads().size(); ++head)
    all.push_back(head);
  const std::vector<double> joint = changes.estimate(all);
  std::vector<std::size_t> over;
  for (std::size_t i = 0; i < 22; ++i)
    over.push_back(i);
  CHECK(found[0].accuracy.calibrated == doctest::Approx(mean_value(search_objective::accuracy, changes, joint,
                                                                   over, balanced_weights(changes, over))));
}

TEST_CASE("a heads file's forecast is found by task and by how it is asked") {
  const std::string one =
      R"({"task": "sst2", "scoring": "labels", "n": 80, "final_space": true, "accuracy":
          {"plain": 0.5, "calibrated": 0.6, "gain": 0.1, "gain_ci95": [0.02, 0.18]}, "auc":
          {"plain": 0.7, "calibrated": 0.8, "gain": 0.1, "gain_ci95": [0.05, 0.15]}})";
  const act::search::heads_file file = file_with("[" + one + "]");
  const auto found = stored_forecast(file, sst2, "f.json");
  REQUIRE(found);
  CHECK(found->samples == 80);
  CHECK(found->accuracy.gain_interval.hi == 0.18);
  CHECK(found->auc->gain_interval.lo == 0.05);
  CHECK(!stored_forecast(file, {.task = "mr", .scoring = "labels"}, "f.json"));
  CHECK(!stored_forecast(file, {.task = "sst2", .scoring = "greedy"}, "f.json"));
  CHECK(!stored_forecast(file, {.task = "sst2", .scoring = "labels", .final_space = false}, "f.json"));
  CHECK(!stored_forecast(act::search::parse_heads_file(R"({"heads": []})", "f.json"), sst2, "f.json"));
}

TEST_CASE("forecasts that aren't are refused") {
  const std::string head = R"([{"task": "sst2", "scoring": "labels")";
  for (const std::string& text :
       {std::string("{}"), std::string("[3]"), head + "}]", head + R"(, "accuracy": 3}])",
        head + R"(, "accuracy": {"plain": 0, "calibrated": 1, "gain": "x", "gain_ci95": [0, 1]}}])",
        head + R"(, "accuracy": {"plain": 0, "calibrated": 1, "gain": 1, "gain_ci95": [0]}}])",
        head + R"(, "accuracy": {"plain": 0, "calibrated": 1, "gain": 1, "gain_ci95": [2, 1]}}])",
        head + R"(, "accuracy": {"plain": 0, "calibrated": 1, "gain": 1, "gain_ci95": [null, 1]}}])"}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)stored_forecast(file_with(text), sst2, "f.json"), const act::error&);
  }
}

TEST_CASE("a forecast and an observation agree when their difference is within both errors") {
  const act::search::forecast_measure forecast{
      .plain = 0.5, .calibrated = 0.6, .gain = 0.10, .gain_interval = {0.07, 0.14}};
  const act::search::forecast_agreement above = compare(forecast, 0.15, {0.12, 0.18});
  CHECK(above.difference == doctest::Approx(0.05));
  CHECK(above.allowed == doctest::Approx(0.05));  // 0.04 and 0.03
  CHECK(compare(forecast, 0.149, {0.119, 0.18}).holds());
  CHECK(!compare(forecast, 0.16, {0.13, 0.18}).holds());
  CHECK(compare(forecast, 0.06, {0.0, 0.10}).holds());
  CHECK(!compare(forecast, 0.04, {0.0, 0.06}).holds());
}
