// Options: the paper's defaults, designated initialisers, and each bad member named.
#include <act/options.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace {
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

std::string wrong(const act::calibration_options& options) {
  return std::string(options.validate().where);
}
}  // namespace

TEST_CASE("defaults are the paper's") {
  constexpr act::calibration_options options;
  static_assert(!options.validate());
  CHECK(options.beta == 0.4);
  CHECK(options.sinks.alpha == 5);
  CHECK(options.sinks.rule == act::sink_rule::relative);
  CHECK(options.sinks.min_visible_rows == 1);
  CHECK(options.sinks.position_limit == 0);
  CHECK(options.redistribute == act::redistribution::proportional);
  CHECK(options.behave_as == act::compatibility::none);
}

TEST_CASE("limits are allowed") {
  CHECK(wrong({.beta = 0}).empty());
  CHECK(wrong({.beta = 1}).empty());
  CHECK(wrong({.sinks = {.tau = 0}}).empty());
  CHECK(wrong({.sinks = {.tau = 1}}).empty());
  CHECK(wrong({.sinks = {.alpha = 1e-9}}).empty());
}

TEST_CASE("each bad member is named") {
  for (const double bad : {-0.1, 1.1, not_a_number, infinite})
    CHECK(wrong({.beta = bad}) == "beta");
  for (const double bad : {0.0, -5.0, not_a_number, infinite})
    CHECK(wrong({.sinks = {.alpha = bad}}) == "sinks.alpha");
  for (const double bad : {-0.1, 1.1, not_a_number, infinite})
    CHECK(wrong({.sinks = {.tau = bad}}) == "sinks.tau");
  CHECK(wrong({.sinks = {.min_visible_rows = 0}}) == "sinks.min_visible_rows");
  CHECK(wrong({.sinks = {.rule = static_cast<act::sink_rule>(99)}}) == "sinks.rule");
  CHECK(wrong({.redistribute = static_cast<act::redistribution>(99)}) == "redistribute");
  CHECK(wrong({.behave_as = static_cast<act::compatibility>(99)}) == "behave_as");
  CHECK(wrong({.sinks = {.min_visible_rows = 2}, .behave_as = act::compatibility::authors}) ==
        "sinks.min_visible_rows");
  CHECK(wrong({.sinks = {.position_limit = 2}, .behave_as = act::compatibility::authors}) ==
        "sinks.position_limit");
}

TEST_CASE("options that contradict each other are refused") {
  const std::size_t some[] = {1, 4}, disordered[] = {4, 1};
  const auto subset = act::redistribution::subset;
  CHECK(wrong({.redistribute = subset}) == "subset");
  CHECK(wrong({.subset = some}) == "subset");
  CHECK(wrong({.redistribute = subset, .subset = disordered}) == "subset");
  CHECK(wrong({.redistribute = subset, .subset = some}).empty());
  for (const double bad : {0.0, -1.0, not_a_number, infinite})
    CHECK(wrong({.theta = bad}) == "theta");
  for (const auto other :
       {act::redistribution::uniform, act::redistribution::inverse, act::redistribution::temperature}) {
    CHECK(wrong({.redistribute = other}).empty());
    CHECK(wrong({.redistribute = other, .behave_as = act::compatibility::authors}) == "redistribute");
  }
  CHECK(wrong({.sinks = {.rule = act::sink_rule::baseline_corrected}}).empty());
  CHECK(wrong({.sinks = {.rule = act::sink_rule::baseline_corrected},
               .behave_as = act::compatibility::authors}) == "sinks.rule");
}
