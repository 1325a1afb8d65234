// Names of options, both ways.
#include <act/report/option_names.hpp>

#include <doctest/doctest.h>

TEST_CASE_TEMPLATE("every name leads to its value and back", option, act::sink_rule, act::redistribution,
                   act::compatibility) {
  CHECK(act::option_names<option>.size() > 0);
  for (const auto& [name, value] : act::option_names<option>) {
    CHECK(act::name_of(value) == name);
    CHECK(act::option_named<option>(name, "x") == value);
  }
}

TEST_CASE("an unknown name is refused with the known ones") {
  CHECK_THROWS_WITH_AS((void)act::option_named<act::sink_rule>("Relative", "--rule"),
                       "--rule: 'Relative' is none of relative, absolute, baseline-corrected", act::error);
  CHECK(act::name_of(static_cast<act::sink_rule>(99)).empty());
}
