// What config.json of each family means: defaults of absent keys, both generations of the file, and settings
// that are refused by name.
#include <act/runtime/architecture/architecture.hpp>
#include <act/runtime/checkpoint/hf_config.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "message_of.hpp"
#include "temporary_folder.hpp"

using act_test::contains;
using act_test::message_of;

namespace {

// The configuration of {"model_type": type, settings}.
act::runtime::model_config config_of(const std::string& type, const std::string& settings = "") {
  const act_test::temporary_folder folder;
  (void)folder.write("config.json",
                     R"({"model_type":")" + type + '"' + (settings.empty() ? "" : ",") + settings + "}");
  return act::runtime::describe(act::runtime::hf_config(folder.path())).config;
}

std::string refused(const std::string& type, const std::string& settings) {
  const std::string message = message_of([&] { (void)config_of(type, settings); });
  if (!message.empty()) CHECK(act_test::is_one_line_about(message, "config.json"));
  return message;
}

// theta^(-2 i / dims) / factor.
float frequency(double theta, std::size_t i, std::size_t dims, double factor = 1) {
  return static_cast<float>(std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(dims)) /
                            factor);
}

}  // namespace

TEST_CASE("absent keys take transformers' defaults") {
  const act::runtime::model_config llama = config_of("llama");
  CHECK(llama.vocabulary == 32000);
  CHECK(llama.hidden == 4096);
  CHECK(llama.inner == 11008);
  CHECK(llama.layers == 32);
  CHECK(llama.heads == 32);
  CHECK(llama.kv_heads == 32);
  CHECK(llama.head_size == 128);
  CHECK(llama.context == 2048);
  CHECK(llama.norm_epsilon == 1e-6F);
  CHECK(llama.rotary.at(0).theta == 10000.0F);
  CHECK(llama.rotary.at(0).dims == 128);
  CHECK(llama.rotary.at(0).frequencies.empty());
  CHECK_FALSE(llama.tied_output);

  const act::runtime::model_config opt = config_of("opt", R"("word_embed_proj_dim":null)");
  CHECK(opt.vocabulary == 50272);
  CHECK(opt.hidden == 768);
  CHECK(opt.embedding == 768);
  CHECK(opt.inner == 3072);
  CHECK(opt.tied_output);
  CHECK(opt.norm_parameters);
  CHECK(opt.attention_biases == act::runtime::biases::required);

  const act::runtime::model_config gpt2 = config_of("gpt2", R"("n_inner":null)");
  CHECK(gpt2.vocabulary == 50257);
  CHECK(gpt2.inner == 3072);
  CHECK(gpt2.context == 1024);
  CHECK(gpt2.head_size == 64);
  CHECK(gpt2.feed_forward_activation == act::runtime::activation::gelu_tanh);
  CHECK(gpt2.tied_output);
  CHECK(gpt2.rotary.empty());
  CHECK(config_of("gpt2", R"("activation_function":"gelu")").feed_forward_activation ==
        act::runtime::activation::gelu);

  const act::runtime::model_config gptj = config_of("gptj");
  CHECK(gptj.rotary.at(0).dims == 64);
  CHECK(gptj.rotary.at(0).pairing == act::runtime::rotary_pairing::interleaved);
  CHECK(gptj.inner == 16384);
  CHECK_FALSE(gptj.tied_output);
  CHECK(gptj.residual == act::runtime::residual_form::parallel);

  const act::runtime::model_config qwen3 = config_of("qwen3");
  CHECK(qwen3.vocabulary == 151936);
  CHECK(qwen3.inner == 22016);
  CHECK(qwen3.kv_heads == 32);
  CHECK(qwen3.context == 32768);

  const act::runtime::model_config gemma2 = config_of("gemma2");
  CHECK(gemma2.kv_heads == 4);
  CHECK(gemma2.head_size == 256);
  CHECK(gemma2.attention_soft_cap == 50.0F);
  CHECK(gemma2.output_soft_cap == 30.0F);
  CHECK(gemma2.attention_in(0).window == 4096);
  CHECK(gemma2.attention_in(1).window == 0);
  CHECK(config_of("gemma2", R"("attn_logit_softcapping":null)").attention_soft_cap == 0);

  const act::runtime::model_config gemma3 = config_of("gemma3_text");
  CHECK(gemma3.rotary.at(0).theta == 1e6F);
  CHECK(gemma3.rotary.at(1).theta == 1e4F);
  CHECK(gemma3.attention_in(4).window == 4096);
  CHECK(gemma3.attention_in(4).rotary == 1);
  CHECK(gemma3.attention_in(5).window == 0);
  CHECK(gemma3.attention_in(5).rotary == 0);
  CHECK(config_of("gemma3", R"("text_config":{"hidden_size":640,"num_attention_heads":4})").hidden == 640);

  const act::runtime::model_config phi3 = config_of("phi3");
  CHECK(phi3.norm_epsilon == 1e-5F);
  CHECK(phi3.attention_in(0).window == 0);
  CHECK(config_of("stablelm").rotary.at(0).dims == 20);
  CHECK(config_of("olmo2").vocabulary == 50304);
  CHECK(config_of("bloom").slopes.size() == 8);
}

TEST_CASE("Mistral tells an absent window from none") {
  const act::runtime::model_config absent = config_of("mistral");
  CHECK(absent.inner == 14336);
  CHECK(absent.kv_heads == 8);
  CHECK(absent.context == 131072);
  CHECK(absent.attention_in(31).window == 4096);
  const act::runtime::model_config none =
      config_of("mistral", R"("sliding_window":null,"num_key_value_heads":null)");
  CHECK(none.attention_in(0).window == 0);
  CHECK(none.kv_heads == 32);
}

TEST_CASE("which layers have a window") {
  const act::runtime::model_config off =
      config_of("qwen2", R"("sliding_window":8,"use_sliding_window":false)");
  CHECK(off.attention_in(31).window == 0);
  const act::runtime::model_config upper =
      config_of("qwen2", R"("sliding_window":8,"use_sliding_window":true,"max_window_layers":30)");
  CHECK(upper.attention_in(29).window == 0);
  CHECK(upper.attention_in(30).window == 8);
  const act::runtime::model_config listed = config_of(
      "gemma2",
      R"("num_hidden_layers":2,"layer_types":["full_attention","sliding_attention"],"sliding_window":9)");
  CHECK(listed.attention_in(0).window == 0);
  CHECK(listed.attention_in(1).window == 9);
  CHECK(contains(refused("gemma2", R"("layer_types":["full_attention"])"), "names 1 layers"));
  CHECK(contains(refused("gemma2", R"("num_hidden_layers":1,"layer_types":["chunked_attention"])"),
                 "'chunked_attention'"));
}

TEST_CASE("both generations of the file say the same") {
  const act::runtime::model_config older =
      config_of("llama", R"("rope_theta":50000,"rope_scaling":{"type":"linear","factor":4.0})");
  const act::runtime::model_config newer =
      config_of("llama", R"("rope_parameters":{"rope_type":"linear","rope_theta":50000.0,"factor":4})");
  for (const auto* each : {&older, &newer}) {
    CHECK(each->rotary.at(0).theta == 50000.0F);
    CHECK(each->rotary.at(0).frequencies.at(3) == doctest::Approx(frequency(50000, 3, 128, 4)));
  }
  const act::runtime::model_config old_neox = config_of(
      "gpt_neox", R"("hidden_size":512,"num_attention_heads":8,"rotary_pct":0.5,"rotary_emb_base":5000)");
  const act::runtime::model_config new_neox = config_of(
      "gpt_neox",
      R"("hidden_size":512,"num_attention_heads":8,"rope_parameters":{"rope_type":"default","rope_theta":5000,"partial_rotary_factor":0.5})");
  for (const auto* each : {&old_neox, &new_neox}) {
    CHECK(each->rotary.at(0).dims == 32);
    CHECK(each->rotary.at(0).theta == 5000.0F);
  }
  CHECK(config_of("gpt_neox").rotary.at(0).dims == 24);
  const act::runtime::model_config old_gemma = config_of(
      "gemma3_text",
      R"("rope_theta":2e6,"rope_local_base_freq":5000,"rope_scaling":{"rope_type":"linear","factor":8})");
  const act::runtime::model_config new_gemma = config_of(
      "gemma3_text",
      R"("rope_parameters":{"full_attention":{"rope_type":"linear","factor":8,"rope_theta":2e6},"sliding_attention":{"rope_type":"default","rope_theta":5000}})");
  for (const auto* each : {&old_gemma, &new_gemma}) {
    CHECK(each->rotary.at(0).frequencies.at(1) == doctest::Approx(frequency(2e6, 1, 256, 8)));
    CHECK(each->rotary.at(1).theta == 5000.0F);
    CHECK(each->rotary.at(1).frequencies.empty());
  }
}

TEST_CASE("two names of one size have to agree") {
  CHECK(config_of("gpt2", R"("hidden_size":96)").hidden == 96);
  CHECK(config_of("gpt2", R"("hidden_size":96,"n_embd":96)").hidden == 96);
  CHECK(contains(refused("gpt2", R"("hidden_size":96,"n_embd":48)"), "mean the same and differ"));
  CHECK(config_of("bloom", R"("n_embed":128)").hidden == 128);
}

TEST_CASE("longrope keeps to the length its short factors are for") {
  const std::string factors = R"("short_factor":[1,2,3,4,5,6,7,8],"long_factor":[9,9,9,9,9,9,9,9])";
  const act::runtime::model_config config =
      config_of("phi3", R"("hidden_size":64,"num_attention_heads":4,"max_position_embeddings":1024,)"
                        R"("original_max_position_embeddings":256,"rope_scaling":{"type":"longrope",)" +
                            factors + "}");
  CHECK(config.context == 256);
  CHECK(config.rotary.at(0).frequencies.at(1) == doctest::Approx(frequency(1e4, 1, 16, 2)));
  CHECK(config.rotary.at(0).magnitude == doctest::Approx(std::sqrt(1 + std::log(4.0) / std::log(256.0))));
  CHECK(contains(refused("phi3", R"("rope_scaling":{"type":"longrope",)" + factors + "}"),
                 "one a rotary pair"));
}

TEST_CASE("sizes that no model has take no memory") {
  CHECK(
      contains(refused("mistral", R"("num_hidden_layers":2000000000)"), "'num_hidden_layers' is 2000000000"));
  CHECK(contains(refused("gemma3_text", R"("num_hidden_layers":2000000000)"), "no model has"));
  CHECK(contains(refused("llama", R"("head_dim":2000000000,"rope_scaling":{"type":"linear","factor":2})"),
                 "'head_dim'"));
  CHECK(contains(refused("bloom", R"("n_head":1073741824,"hidden_size":1073741824)"), "'n_head'"));
}

TEST_CASE("settings that act doesn't have are refused by name, impossible ones too") {
  CHECK(contains(refused("mamba", ""), "'model_type' is 'mamba'"));
  CHECK(contains(refused("mamba", ""), "bloom, gemma2,"));
  CHECK(contains(refused("llama", R"("rope_scaling":{"type":"ntk","factor":2.0})"), "is 'ntk'"));
  CHECK(contains(refused("llama", R"("rope_scaling":{"type":"linear"})"), "has no 'rope_scaling.factor'"));
  CHECK(contains(refused("llama", R"("rope_scaling":{"type":"linear","factor":0})"), "positive"));
  CHECK(contains(
      refused("llama",
              R"("rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4})"),
      "isn't above"));
  CHECK(contains(refused("llama", R"("rope_parameters":{"partial_rotary_factor":1.5})"), "at most 1"));
  CHECK(contains(refused("llama", R"("rope_theta":0)"), "positive"));
  CHECK(contains(refused("llama", R"("hidden_act":"quick_gelu")"), "'hidden_act' is 'quick_gelu'"));
  CHECK(contains(refused("llama", R"("hidden_size":64,"num_attention_heads":7)"), "doesn't divide"));
  CHECK(contains(refused("llama", R"("num_key_value_heads":5)"), "num_key_value_heads"));
  CHECK(contains(refused("llama", R"("head_dim":7)"), "even number"));
  CHECK(contains(refused("llama", R"("rms_norm_eps":2)"), "between 0 and 1"));
  CHECK(contains(refused("gptj", R"("rotary_dim":1000)"), "rotary_dim"));
  CHECK(contains(refused("gpt_neox", R"("rotary_pct":1.5)"), "at most 1"));
  CHECK(contains(refused("gpt2", R"("add_cross_attention":true)"), "add_cross_attention"));
  CHECK(contains(refused("gemma3_text", R"("use_bidirectional_attention":true)"),
                 "use_bidirectional_attention"));
  CHECK(contains(refused("gemma3_text", R"("attn_logit_softcapping":50)"), "attn_logit_softcapping"));
  CHECK(contains(refused("gemma3", ""), "'text_config' is missing"));
  CHECK(contains(refused("opt", R"("activation_function":"tanh")"), "'tanh'"));
}
