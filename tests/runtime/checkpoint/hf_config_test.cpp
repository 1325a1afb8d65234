// config.json: values by key, with errors that name file and key.
#include <act/runtime/checkpoint/hf_config.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "message_of.hpp"
#include "temporary_folder.hpp"

using act_test::contains;
using act_test::message_of;

namespace {

act::runtime::hf_config config_of(const std::string& text) {
  const act_test::temporary_folder folder;
  (void)folder.write("config.json", text);
  return act::runtime::hf_config(folder.path());
}

// What reading a value says of a file.
template <class Read>
std::string refused(const std::string& text, Read&& read) {
  const std::string message = message_of([&] { read(config_of(text)); });
  if (!message.empty()) CHECK(act_test::is_one_line_about(message, "config.json"));
  return message;
}

}  // namespace

TEST_CASE("values of config.json: by kind, absent and null alike, impossible ones refused by name") {
  const act::runtime::hf_config config = config_of(
      R"({"size":64,"number":0.5,"flag":true,"name":"x","nothing":null,"names":["a","b"],"numbers":[1,2.5]})");
  CHECK(config.size_or("size", 1) == 64);
  CHECK(config.size_or("absent", 7) == 7);
  CHECK(config.size_or("nothing", 7) == 7);
  CHECK(config.is_null("nothing"));
  CHECK_FALSE(config.is_null("absent"));
  CHECK(config.get<double>("number") == 0.5);
  CHECK(config.positive("number") == 0.5);
  CHECK(config.positive_or("absent", 3) == 3);
  CHECK(config.get_or("flag", false));
  CHECK(config.find_list<std::string>("names")->at(1) == "b");
  CHECK(config.find_list<double>("numbers")->at(1) == 2.5);
  CHECK_FALSE(config.find_list<double>("nothing").has_value());

  const auto size = [](const act::runtime::hf_config& of) { (void)of.size_or("size", 1); };
  CHECK(contains(refused(R"({"size":0})", size), "'size' is 0"));
  CHECK(contains(refused(R"({"size":9223372036854775808})", size), "which no model has"));
  CHECK(contains(refused(R"({"size":-1})", size), "whole number"));
  CHECK(contains(refused(R"({"size":64.5})", size), "whole number"));
  CHECK(contains(refused(R"({"size":"64"})", size), "whole number"));
  CHECK(
      contains(refused(R"({"number":0})", [](const auto& of) { (void)of.positive("number"); }), "positive"));
  CHECK(contains(refused("{}", [](const auto& of) { (void)of.positive("number"); }), "has no 'number'"));
  CHECK(contains(refused(R"({"flag":1})", [](const auto& of) { (void)of.get_or("flag", false); }),
                 "true or false"));
  CHECK(contains(
      refused(R"({"names":3})", [](const auto& of) { (void)of.template find_list<std::string>("names"); }),
      "isn't a list"));
  CHECK(contains(refused(R"({"names":["a",3]})",
                         [](const auto& of) { (void)of.template find_list<std::string>("names"); }),
                 "'names[1]' isn't a text"));
  CHECK(contains(
      refused(R"({"act":"quick_gelu"})", [](const auto& of) { (void)of.activation_name("act", "silu"); }),
      "'act' is 'quick_gelu'"));
  CHECK(contains(refused("{", size), "not valid JSON at byte"));
  CHECK(contains(refused("[]", size), "isn't a JSON object"));
  CHECK(contains(refused("", size), "not valid JSON at byte"));
  CHECK(contains(message_of([] { (void)config_of("{}").model_type(); }), "has no 'model_type'"));
  const act_test::temporary_folder empty;
  CHECK(contains(message_of([&] { act::runtime::hf_config{empty.path()}; }), "config.json: can't be opened"));
}

TEST_CASE("settings inside an object are named with it") {
  const act::runtime::hf_config config =
      config_of(R"({"text_config":{"hidden_size":0,"deeper":{"x":-1}},"list":[]})");
  const auto text = config.section("text_config");
  REQUIRE(text);
  CHECK(
      contains(message_of([&] { (void)text->size_or("hidden_size", 1); }), "'text_config.hidden_size' is 0"));
  CHECK(contains(message_of([&] { (void)text->section("deeper")->size_or("x", 1); }),
                 "'text_config.deeper.x'"));
  CHECK_FALSE(config.section("absent").has_value());
  CHECK(contains(message_of([&] { (void)config.section("list"); }), "'list' isn't an object"));
}

TEST_CASE("the number format, of either generation") {
  CHECK(config_of(R"({"torch_dtype":"float16"})").dtype() == "float16");
  CHECK(config_of(R"({"dtype":"float16"})").dtype() == "float16");
  CHECK(config_of("{}").dtype().empty());
}
