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
<<<<<<< HEAD
      contains(refused_llama(R"({"rope_parameters":{"rope_type":"llama3","rope_theta":1e4}})"), "'llama3'"));
  CHECK(contains(refused_llama(R"({"rope_parameters":{"full_attention":{"rope_theta":1e4}}})"),
                 "differs between layers"));
  CHECK(contains(refused_llama(R"({"rope_parameters":{"partial_rotary_factor":0.5}})"),
                 "partial_rotary_factor"));
  CHECK(contains(refused_llama(R"({"rope_theta":0})"), "positive"));
  CHECK(contains(refused_llama(R"({"hidden_act":"quick_gelu"})"), "'hidden_act' is 'quick_gelu'"));
  CHECK(contains(refused_llama(R"({"hidden_size":0})"), "'hidden_size' is 0"));
  CHECK(contains(refused_llama(R"({"hidden_size":9223372036854775808})"), "which no model has"));
  CHECK(contains(refused_llama(R"({"hidden_size":-1})"), "whole number"));
  CHECK(contains(refused_llama(R"({"hidden_size":64.5})"), "whole number"));
  CHECK(contains(refused_llama(R"({"hidden_size":"64"})"), "whole number"));
  CHECK(contains(refused_llama(R"({"hidden_size":64,"num_attention_heads":7})"), "doesn't divide"));
  CHECK(contains(refused_llama(R"({"num_key_value_heads":5})"), "num_key_value_heads"));
  CHECK(contains(refused_llama(R"({"head_dim":7})"), "odd"));
  CHECK(contains(refused_llama(R"({"tie_word_embeddings":1})"), "true or false"));
  CHECK(contains(refused_llama("{"), "not valid JSON at byte"));
  CHECK(contains(refused_llama("[]"), "isn't a JSON object"));
  CHECK(contains(refused_llama(""), "not valid JSON at byte"));
=======
      contains(refused(R"({"number":0})", [](const auto& of) { (void)of.positive("number"); }), "positive"));
  CHECK(contains(refused("{}", [](const auto& of) { (void)of.positive("number"); }), "has no 'number'"));
  CHECK(contains(refused(R"({"flag":1})", [](const auto& of) { (void)of.get_or("flag", false); }),
                 "true or false"));
>>>>>>> 35ae61a (Read every model family as data: fourteen architectures, one forward pass)
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

<<<<<<< HEAD
TEST_CASE("quantised weights are refused by their method's name") {
  const auto refused = [](const std::string& settings) {
    return message_of([&] { (void)config_of(R"({"quantization_config":)" + settings + "}"); });
  };
  // As GPTQModel, AutoAWQ and bitsandbytes write them.
  CHECK(contains(refused(R"({"quant_method":"gptq","bits":4,"group_size":128,"desc_act":true})"),
                 "'quantization_config' means weights quantised by 'gptq', which act doesn't read;"));
  CHECK(contains(refused(R"({"quant_method":"awq","bits":4,"version":"gemm","zero_point":true})"),
                 "by 'awq',"));
  CHECK(
      contains(refused(R"({"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4"})"),
               "by 'bitsandbytes',"));
  CHECK(contains(refused(R"({"load_in_8bit":true,"llm_int8_threshold":6.0})"), "by 'bitsandbytes',"));
  CHECK(contains(refused(R"({"load_in_8bit":false,"load_in_4bit":true})"), "by 'bitsandbytes',"));
  for (const char* other : {"fp8", "compressed-tensors", "hqq", "aqlm", "mxfp4", "a method of tomorrow"})
    CHECK(contains(refused(std::string(R"({"quant_method":")") + other + "\"}"),
                   std::string("by '") + other + "',"));
  CHECK(contains(refused(R"({"quant_method":"a\nb"})"), R"(by 'a\x0ab',)"));
  CHECK(contains(refused(R"({"bits":4})"), "by a method without a name,"));
  CHECK(contains(refused(R"({"quant_method":7,"load_in_8bit":"yes"})"), "by a method without a name,"));
  CHECK(contains(refused("[]"), "by an unknown method,"));
  // Null is what `transformers` writes for a model that isn't quantised.
  CHECK(refused("null").empty());
=======
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
>>>>>>> 35ae61a (Read every model family as data: fourteen architectures, one forward pass)
}
