// Where a result comes from.
#include <act/io/json_document.hpp>
#include <act/report/provenance.hpp>
#include <act/version.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sstream>

TEST_CASE("the processor's name") {
  std::istringstream intel(
      "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Some CPU @ 2.60GHz\nmodel name\t: other\n");
  CHECK(act::report::cpu_model(intel) == "Some CPU @ 2.60GHz");
  std::istringstream arm("processor\t: 0\nBogoMIPS\t: 50.00\n");
  CHECK(act::report::cpu_model(arm) == "unknown");
  std::istringstream none;
  CHECK(act::report::cpu_model(none) == "unknown");
}

TEST_CASE("dates are UTC") {
  CHECK(act::report::format_date(std::chrono::system_clock::time_point{}) == "1970-01-01T00:00:00Z");
  CHECK(act::report::format_date(std::chrono::system_clock::from_time_t(1714566600)) ==
        "2024-05-01T12:30:00Z");
}

TEST_CASE("a stamp holds everything, in a fixed order") {
  const act::report::provenance_clock clock;
  const act::report::provenance stamp = clock.stamp({.revision = "abc", .flags = "-O2"});
  CHECK(stamp.version == ACT_VERSION_STRING);
  CHECK(stamp.revision == "abc");
  CHECK(stamp.flags == "-O2");
  CHECK(stamp.compiler != "unknown");
  CHECK(stamp.threads >= 1);
  CHECK(stamp.seconds >= 0);
  const nlohmann::ordered_json object =
      act::report::to_json(stamp, act::io::json_document::object({{"beta", 0.4}})).value();
  std::string keys;
  for (const auto& item : object.items()) {
    keys += item.key() + " ";
  }
  CHECK(keys == "version revision compiler flags cpu threads date options seconds ");
  CHECK(object.at("options").at("beta") == 0.4);
}
