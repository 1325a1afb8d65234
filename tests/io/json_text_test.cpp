// JSON written for people. Reading hostile JSON is tested with the readers
// (tests/tasks/readers/lines_test.cpp).
#include <act/error.hpp>
#include <act/io/json_text.hpp>
#include <act/io/parse_json.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <limits>
#include <string_view>

using json = nlohmann::ordered_json;

TEST_CASE("objects and lists without others inside stay on one line") {
  CHECK(act::io::pretty_json(json(3)) == "3");
  CHECK(act::io::pretty_json(json::array()) == "[]");
  CHECK(act::io::pretty_json(json::object()) == "{}");
  CHECK(act::io::pretty_json(json::parse(R"({"b": 1, "a": "x"})")) == R"({"b": 1, "a": "x"})");
  CHECK(act::io::pretty_json(json::parse(R"({"heads": [[1, 2], [3, 4]], "e": {}, "n": {"k": [1]}})")) ==
        "{\n  \"heads\": [\n    [1, 2],\n    [3, 4]\n  ],\n  \"e\": {},\n  \"n\": {\n    \"k\": [1]\n  }\n}");
}

TEST_CASE("what is written is read back the same, keys in order") {
  const std::string text = R"({"z": [1, {"y": null}, "é\n\"", 0.1, true], "a": {"b": [[], {}]}})";
  const auto value = act::io::parse_json<json>(text, "t");
  CHECK(act::io::parse_json<json>(act::io::pretty_json(value), "t") == value);
  CHECK(act::io::compact_json(value) == json::parse(text).dump());
}

TEST_CASE("what JSON doesn't have never breaks the output") {
  CHECK(act::io::compact_json(json(std::numeric_limits<double>::quiet_NaN())) == "null");
  CHECK(act::io::compact_json(json(std::numeric_limits<double>::infinity())) == "null");
  CHECK(act::io::compact_json(json("a\xFF")) == "\"a\xEF\xBF\xBD\"");
}

TEST_CASE("doubles are written so that they read back exactly") {
  for (const double value : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0, 0.7250000000000001}) {
    CHECK(json::parse(act::io::compact_json(json(value))).get<double>() == value);
  }
}

TEST_CASE("a zero byte isn't the end of a text") {
  using namespace std::string_view_literals;
  for (const std::string_view text : {"{}\0"sv, "{}\0{"sv, "\0{}"sv, "{\"a\": \"\0\"}"sv}) {
    CHECK_THROWS_WITH_AS((void)act::io::parse_json<json>(text, "t"),
                         doctest::Contains("t: not valid JSON at byte "), act::error);
  }
}
