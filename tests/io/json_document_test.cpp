// JSON documents made without the JSON library say what it would say.
#include <act/io/json_document.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using act::io::json_document;

TEST_CASE("every kind of value is written as the JSON library writes it") {
  CHECK(json_document().text() == "null");
  CHECK(json_document(nullptr).text() == "null");
  CHECK(json_document(true).text() == "true");
  CHECK(json_document(-3).text() == "-3");
  CHECK(json_document(std::size_t{18446744073709551615U}).text() == "18446744073709551615");
  CHECK(json_document(1.0).text() == "1.0");
  CHECK(json_document(0.1F).text() == nlohmann::json(0.1F).dump());
  CHECK(json_document(std::numeric_limits<double>::quiet_NaN()).text() == "null");
  CHECK(json_document("text").text() == "\"text\"");
  CHECK(json_document(std::string("é\xff")).text() == "\"é\xEF\xBF\xBD\"");
  CHECK(json_document("é\xff").ascii() == "\"\\u00e9\\ufffd\"");
  CHECK(json_document(std::vector<std::int32_t>{1, -2}).text() == "[1,-2]");
  CHECK(json_document(std::vector<std::size_t>{}).text() == "[]");
  CHECK(json_document(std::vector<double>{0.5, 2}).text() == "[0.5,2.0]");
  CHECK(json_document(std::vector<std::string>{"a", "b"}).text() == R"(["a","b"])");
}

TEST_CASE("objects keep the order of their keys, whatever is set again") {
  json_document document = json_document::object({{"z", 1}, {"a", json_document::array({1, "two", {}})}});
  document.set("m", json_document::object());
  document.set("z", "new");
  document.update(json_document::object({{"a", 2}, {"b", false}}));
  CHECK(document.text() == R"({"z":"new","a":2,"m":{},"b":false})");
  CHECK(document.pretty() == "{\n  \"z\": \"new\",\n  \"a\": 2,\n  \"m\": {},\n  \"b\": false\n}");
  CHECK(document.size() == 4);
}

TEST_CASE("an empty document becomes what is put into it, and copies are their own") {
  json_document list, object;
  CHECK(list.size() == 0);
  list.push_back(1);
  object.set("list", list);
  const json_document copy = object;
  list.push_back(2);
  object.set("list", std::move(list));
  CHECK(copy.text() == R"({"list":[1]})");
  CHECK(object.text() == R"({"list":[1,2]})");
  CHECK(json_document::of(object.value()).text() == object.text());
}
