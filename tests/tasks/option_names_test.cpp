// Names of options, both ways.
#include <act/tasks/named_calibration.hpp>
#include <act/tasks/option_names.hpp>

#include <doctest/doctest.h>

#include <string>

TEST_CASE_TEMPLATE("every name leads to its value and back", option, act::sink_rule, act::redistribution,
                   act::tasks::prompt_part, act::compatibility) {
  CHECK(act::tasks::option_names<option>.size() > 0);
  for (const auto& [name, value] : act::tasks::option_names<option>) {
    CHECK(act::tasks::name_of(value) == name);
    CHECK(act::tasks::option_named<option>(name, "x") == value);
  }
}

TEST_CASE("an unknown name is refused with the known ones") {
  CHECK_THROWS_WITH_AS((void)act::tasks::option_named<act::sink_rule>("Relative", "--rule"),
                       "--rule: 'Relative' is none of relative, absolute, baseline-corrected", act::error);
  CHECK(act::tasks::name_of(static_cast<act::sink_rule>(99)).empty());
}

TEST_CASE(
    "redistributions by name: the two temperatures share one option, every theta comes back to the bit") {
  act::calibration_options options;
  act::tasks::set_redistribution(options, {.name = "inverse-temperature", .theta = 1.1}, "x");
  CHECK(options.redistribute == act::redistribution::temperature);
  CHECK(options.theta == 1 / 1.1);
  CHECK(act::tasks::redistribution_of(options).name == "inverse-temperature");
  CHECK(act::tasks::redistribution_of(options).theta == 1.1);
  for (const char* name : {"proportional", "uniform", "subset", "inverse", "temperature"}) {
    act::tasks::set_redistribution(options, {.name = name, .theta = 1.1}, "x");
    CHECK(act::tasks::redistribution_of(options).name == name);
    CHECK(act::tasks::redistribution_of(options).has_theta() == (std::string(name) == "temperature"));
  }
  for (int i = 1; i < 2000; ++i) {
    options.theta = 0.001 * i;
    act::calibration_options read;
    act::tasks::set_redistribution(read, act::tasks::redistribution_of(options), "x");
    CHECK(read.theta == options.theta);
  }
  CHECK_THROWS_WITH_AS(
      act::tasks::set_redistribution(options, {.name = "best", .theta = 1.1}, "--redistribution"),
      "--redistribution: 'best' is none of proportional, uniform, subset, inverse, "
      "temperature, renormalised, inverse-temperature",
      act::error);
}
