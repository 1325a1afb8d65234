// config.json of both generations: values, defaults, and settings that are refused by name.
#include <act/runtime/checkpoint/hf_config.hpp>
#include <act/runtime/checkpoint/hf_gpt_settings.hpp>
#include <act/runtime/checkpoint/hf_settings.hpp>

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

std::string refused_llama(const std::string& text) {
  const std::string message = message_of([&] { (void)act::runtime::read_hf_llama(config_of(text)); });
  if (!message.empty()) CHECK(act_test::is_one_line_about(message, "config.json"));
  return message;
}

}  // namespace

TEST_CASE("absent keys take transformers' defaults") {
  const act::runtime::hf_llama_settings llama = act::runtime::read_hf_llama(config_of("{}"));
  CHECK(llama.vocabulary == 32000);
  CHECK(llama.hidden == 4096);
  CHECK(llama.inner == 11008);
  CHECK(llama.layers == 32);
  CHECK(llama.heads == 32);
  CHECK(llama.kv_heads == 32);
  CHECK(llama.head_size == 128);
  CHECK(llama.context == 2048);
  CHECK(llama.norm_epsilon == 1e-6);
  CHECK(llama.rope_theta == 10000.0);
  CHECK_FALSE(llama.tied_output);
  const act::runtime::hf_opt_settings opt =
      act::runtime::read_hf_opt(config_of(R"({"model_type":"opt","word_embed_proj_dim":null})"));
  CHECK(opt.vocabulary == 50272);
  CHECK(opt.hidden == 768);
  CHECK(opt.embedding == 768);
  CHECK(opt.inner == 3072);
  CHECK(opt.tied_output);
  CHECK(opt.norm_first);
  CHECK(opt.final_norm);
  CHECK(opt.biases);
  CHECK(opt.norm_parameters);
  CHECK_FALSE(act::runtime::read_hf_opt(config_of(R"({"do_layer_norm_before":false})")).final_norm);
  CHECK_FALSE(act::runtime::read_hf_opt(config_of(R"({"_remove_final_layer_norm":true})")).final_norm);
}

TEST_CASE("Mistral tells an absent window from none") {
  const act::runtime::hf_llama_settings absent = act::runtime::read_hf_mistral(config_of("{}"));
  CHECK(absent.inner == 14336);
  CHECK(absent.kv_heads == 8);
  CHECK(absent.context == 131072);
  CHECK(absent.window == 4096);
  const act::runtime::hf_llama_settings none =
      act::runtime::read_hf_mistral(config_of(R"({"sliding_window":null,"num_key_value_heads":null})"));
  CHECK(none.window == 0);
  CHECK(none.kv_heads == 32);
}

TEST_CASE("the GPT family's defaults and settings") {
  const act::runtime::hf_gpt_settings gpt2 = act::runtime::read_hf_gpt2(config_of(R"({"n_inner":null})"));
  CHECK(gpt2.vocabulary == 50257);
  CHECK(gpt2.inner == 3072);
  CHECK(gpt2.context == 1024);
  CHECK(gpt2.head_size == 64);
  CHECK(gpt2.activation == "gelu_tanh");
  CHECK(gpt2.tied_output);
  CHECK(gpt2.rotary_dims == 0);
  CHECK(act::runtime::read_hf_gpt2(config_of(R"({"activation_function":"gelu"})")).activation == "gelu");
  const act::runtime::hf_gpt_settings gptj = act::runtime::read_hf_gptj(config_of("{}"));
  CHECK(gptj.rotary_dims == 64);
  CHECK(gptj.inner == 16384);
  CHECK_FALSE(gptj.tied_output);
  CHECK(gptj.parallel_residual);
  const act::runtime::hf_gpt_settings old_neox = act::runtime::read_hf_gpt_neox(
      config_of(R"({"hidden_size":512,"num_attention_heads":8,"rotary_pct":0.5,"rotary_emb_base":5000})"));
  CHECK(old_neox.rotary_dims == 32);
  CHECK(old_neox.rope_theta == 5000.0);
  const act::runtime::hf_gpt_settings new_neox = act::runtime::read_hf_gpt_neox(config_of(
      R"({"hidden_size":512,"num_attention_heads":8,"rope_parameters":{"rope_type":"default","rope_theta":5000,"partial_rotary_factor":0.5}})"));
  CHECK(new_neox.rotary_dims == 32);
  CHECK(new_neox.rope_theta == 5000.0);
  CHECK(act::runtime::read_hf_gpt_neox(config_of("{}")).rotary_dims == 24);
  CHECK(contains(
      message_of([] { (void)act::runtime::read_hf_gpt2(config_of(R"({"scale_attn_weights":false})")); }),
      "scale_attn_weights"));
  CHECK(contains(message_of([] { (void)act::runtime::read_hf_gptj(config_of(R"({"rotary_dim":1000})")); }),
                 "rotary_dim"));
  CHECK(contains(message_of([] { (void)act::runtime::read_hf_gpt_neox(config_of(R"({"rotary_pct":1.5})")); }),
                 "at most 1"));
}

TEST_CASE("both generations of the file say the same") {
  const act::runtime::hf_config old_one =
      config_of(R"({"rope_theta":50000,"rope_scaling":null,"torch_dtype":"float16"})");
  const act::runtime::hf_config new_one = config_of(
      R"({"rope_parameters":{"rope_type":"default","rope_theta":50000.0},"dtype":"float16","model_type":"llama"})");
  CHECK(old_one.rope_theta() == 50000.0);
  CHECK(new_one.rope_theta() == 50000.0);
  CHECK(old_one.dtype() == "float16");
  CHECK(new_one.dtype() == "float16");
  CHECK(new_one.model_type() == "llama");
}

TEST_CASE("settings that act doesn't have are refused by name, impossible ones too") {
  CHECK(contains(refused_llama(R"({"rope_scaling":{"type":"linear","factor":2.0}})"),
                 "'rope_scaling' has the type 'linear'"));
  CHECK(
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
  CHECK(contains(
      message_of([] { (void)act::runtime::read_hf_opt(config_of(R"({"activation_function":"tanh"})")); }),
      "'tanh'"));
  CHECK(contains(message_of([] { (void)config_of("{}").model_type(); }), "has no 'model_type'"));
  const act_test::temporary_folder empty;
  CHECK(contains(message_of([&] { act::runtime::hf_config{empty.path()}; }), "config.json: can't be opened"));
}

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
}
