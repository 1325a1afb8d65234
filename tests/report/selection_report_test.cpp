// What act-search says of the heads it picked.
#include <doctest/doctest.h>
#include <act/report/selection_report.hpp>
#include <act/search/plan.hpp>
#include <act/search/selection/forecast.hpp>

#include <optional>
#include <string>
#include <vector>

namespace {

act::search::forecast_measure gain(double value) {
  return {
      .plain = 0.5, .calibrated = 0.5 + value, .gain = value, .gain_interval = {value - 0.1, value + 0.1}};
}

std::string forecast_of(double accuracy, std::optional<double> auc) {
  act::search::search_source source;
  source.task = "boolq";
  act::search::source_forecast forecast{.source = 0, .samples = 20, .accuracy = gain(accuracy), .auc = {}};
  if (auc) forecast.auc = gain(*auc);
  return act::report::forecast_text(std::vector{forecast}, std::vector{source});
}

}  // namespace

TEST_CASE("a forecast says what to do where nothing is to rise") {
  const std::string advice = "nothing is forecast to rise: search more samples, or leave the model plain";
  const auto advises = [&](double accuracy, std::optional<double> auc) {
    const std::string text = forecast_of(accuracy, auc);
    CHECK(text.starts_with("forecast for unseen samples of boolq: accuracy "));
    return text.find(advice) != std::string::npos;
  };
  CHECK(advises(-0.05, -0.02));
  CHECK(advises(0, 0));
  CHECK(advises(-0.05, std::nullopt));
  CHECK_FALSE(advises(0.05, -0.02));
  CHECK_FALSE(advises(-0.05, 0.02));
  CHECK_FALSE(advises(0.05, std::nullopt));

  // Heads that several tasks share are worth keeping where one of them gains.
  const std::vector<act::search::search_source> sources(2);
  const auto of_two = [&](double first, double second) {
    return act::report::forecast_text(
        std::vector<act::search::source_forecast>{
            {.source = 0, .samples = 20, .accuracy = gain(first), .auc = {}},
            {.source = 1, .samples = 20, .accuracy = gain(second), .auc = {}}},
        sources);
  };
  CHECK(of_two(-0.05, 0.02).find(advice) == std::string::npos);
  CHECK(of_two(-0.05, -0.02).find(advice) != std::string::npos);
  CHECK(act::report::forecast_text({}, sources).empty());
}
