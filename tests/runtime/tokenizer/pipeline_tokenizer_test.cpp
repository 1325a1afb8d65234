// Byte-level BPE from GGUF: the ids of the Python package `tokenizers` on every golden line, and what a bad
// vocabulary gets.
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/tokenizer/load.hpp>
#include <act/runtime/tokenizer/pipeline_tokenizer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "golden_lines.hpp"
#include "message_of.hpp"
#include "runtime/checkpoint/gguf_builder.hpp"

using act::runtime::special_tokens_in_text;
using act_test::check_all;
using act_test::contains;
using act_test::gguf_builder;
using act_test::message_of;
using act_test::tokenizer_golden;

namespace {

/// The tokenizer of a GGUF file; with `pre`, the vocabulary of that file under another pre-tokenizer.
std::unique_ptr<act::runtime::tokenizer> load(const std::filesystem::path& path, const std::string& pre = {},
                                              std::optional<bool> add_bos = std::nullopt) {
  const act::runtime::gguf_file file(path);
  if (pre.empty()) return act::runtime::load_tokenizer(file);
  gguf_builder copy;
  copy.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", pre);
  for (const char* key : {"tokenizer.ggml.tokens", "tokenizer.ggml.merges"}) {
    std::vector<std::string> list;
    for (const std::string_view entry : file.get<std::vector<std::string_view>>(key))
      list.emplace_back(entry);
    copy.texts(key, list);
  }
  copy.numbers("tokenizer.ggml.token_type", file.get<std::vector<std::int32_t>>("tokenizer.ggml.token_type"));
  if (add_bos) copy.flag("tokenizer.ggml.add_bos_token", *add_bos);
  const act_test::temporary_folder folder;
  return act::runtime::load_tokenizer(act::runtime::gguf_file(folder.write("copy.gguf", copy.build())));
}

}  // namespace

TEST_CASE("a small trained vocabulary gives the reference's ids with both pre-tokenizers") {
  check_all(
      act_test::compare_ids(*load(tokenizer_golden / "small.gguf"), tokenizer_golden / "small.smollm.ids"));
  check_all(act_test::compare_ids(*load(tokenizer_golden / "small.gguf", "gpt-2"),
                                  tokenizer_golden / "small.gpt2.ids"));
}

TEST_CASE("Llama 3's pattern and whole words give the reference's ids") {
  check_all(act_test::compare_checks(*load(tokenizer_golden / "small.gguf", "llama-bpe", false),
                                     tokenizer_golden / "small.llama3.checks"));
}

TEST_CASE("the comparison sees a wrong pre-tokenizer") {
  const std::unique_ptr<act::runtime::tokenizer> smollm = load(tokenizer_golden / "small.gguf");
  CHECK(act_test::compare_ids(*smollm, tokenizer_golden / "small.gpt2.ids").mismatches > 300);
  CHECK(act_test::compare_checks(*smollm, tokenizer_golden / "small.llama3.checks").mismatches > 300);
}

TEST_CASE("the real vocabulary gives the reference's ids with both pre-tokenizers") {
  if (!std::filesystem::exists(ACT_TEST_MODEL)) {
    MESSAGE("[skipped] no model file at " ACT_TEST_MODEL);
    return;
  }
  const std::unique_ptr<act::runtime::tokenizer> smollm = load(ACT_TEST_MODEL);
  check_all(act_test::compare_checks(*smollm, tokenizer_golden / "smollm2.smollm.checks"));
  check_all(
      act_test::compare_checks(*load(ACT_TEST_MODEL, "gpt-2"), tokenizer_golden / "smollm2.gpt2.checks"));
  CHECK(smollm->vocabulary_size() == 49152);
  CHECK(smollm->bos() == 1);
  CHECK(smollm->eos() == 2);
  CHECK(smollm->find("<|im_end|>") == 2);
  CHECK(smollm->encode("x", special_tokens_in_text::are_text, true) ==
        smollm->encode("x", special_tokens_in_text::are_text,
                       false));  // this model adds nothing around a text
}

TEST_CASE("one tokenizer serves many threads") {
  const std::unique_ptr<act::runtime::tokenizer> tokenizer = load(tokenizer_golden / "small.gguf");
  std::vector<act_test::comparison> results(4);
  std::vector<std::thread> threads;
  for (act_test::comparison& result : results)
    threads.emplace_back(
        [&] { result = act_test::compare_ids(*tokenizer, tokenizer_golden / "small.smollm.ids"); });
  for (std::thread& thread : threads)
    thread.join();
  for (const act_test::comparison& result : results)
    check_all(result);
}

TEST_CASE("a vocabulary with all bytes gives every line back") {
  const std::unique_ptr<act::runtime::tokenizer> tokenizer = load(tokenizer_golden / "small.gguf");
  for (const std::string& line : act_test::golden_lines()) {
    const std::vector<act::runtime::token_id> ids =
        tokenizer->encode(line, special_tokens_in_text::are_text, false);
    REQUIRE(tokenizer->decode(ids) == line);
  }
}

TEST_CASE("special tokens are ids of their own, shown or skipped, and added around a text when asked for") {
  const std::unique_ptr<act::runtime::tokenizer> tokenizer = load(tokenizer_golden / "small.gguf");
  const std::vector<act::runtime::token_id> ids =
      tokenizer->encode("a<|im_end|>a", special_tokens_in_text::are_tokens);
  CHECK(ids == std::vector<act::runtime::token_id>{1, *tokenizer->find("a"), 2, *tokenizer->find("a")});
  CHECK(tokenizer->decode(ids) == "<|im_start|>a<|im_end|>a");
  CHECK(tokenizer->decode(ids, true) == "aa");
  CHECK(tokenizer->encode("") == std::vector<act::runtime::token_id>{1});
  CHECK(tokenizer->encode("", special_tokens_in_text::are_text, false).empty());
  const std::vector<act::runtime::token_id> user =
      tokenizer->encode("xuser defined", special_tokens_in_text::are_text, false);
  CHECK(user.back() == *tokenizer->find("user defined"));
  CHECK(tokenizer->decode(user, true) == "xuser defined");
}

TEST_CASE("special tokens in a text are text unless asked for") {
  const std::unique_ptr<act::runtime::tokenizer> tokenizer = load(tokenizer_golden / "small.gguf");
  const std::string text = "a<|im_end|>a";
  const std::vector<act::runtime::token_id> ids = tokenizer->encode(text);
  CHECK(ids == tokenizer->encode(text, special_tokens_in_text::are_text));
  CHECK(std::find(ids.begin(), ids.end(), 2) == ids.end());
  CHECK(tokenizer->decode(ids, true) == text);  // nothing in it is a control token
  // Tokens added for ordinary text are found either way.
  CHECK(tokenizer->encode("user defined") ==
        tokenizer->encode("user defined", special_tokens_in_text::are_tokens));
}

TEST_CASE("text that isn't UTF-8 is refused with the byte, whatever is wrong with it") {
  const std::unique_ptr<act::runtime::tokenizer> tokenizer = load(tokenizer_golden / "small.gguf");
  for (const char* bad : {"ab\xff", "ab\xc3", "ab\xc0\x80", "ab\xe0\x80\x80", "ab\xed\xa0\x80",
                          "ab\xf4\x90\x80\x80", "ab\x80", "ab\xf0\x9f\x98", "ab\xe2\x28\xa1"}) {
    CHECK(contains(message_of([&] { (void)tokenizer->encode(bad); }), "text: at byte 2: isn't valid UTF-8"));
  }
  for (const act::runtime::token_id id : {-1, 1 << 20}) {
    const std::vector<act::runtime::token_id> ids{id};
    CHECK(contains(message_of([&] { (void)tokenizer->decode(ids); }), "outside the vocabulary"));
  }
}

TEST_CASE("a megabyte without a space takes no quadratic time") {
  const std::unique_ptr<act::runtime::tokenizer> tokenizer = load(tokenizer_golden / "small.gguf");
  std::mt19937_64 random(7);
  std::string mixed;
  for (int i = 0; i < 1'000'000; ++i)
    mixed += static_cast<char>('a' + random() % 26);
  for (const std::string& text : {std::string(1'000'000, 'a'), std::string(1'000'000, ' ') + "x", mixed}) {
    const auto start = std::chrono::steady_clock::now();
    const std::vector<act::runtime::token_id> ids =
        tokenizer->encode(text, special_tokens_in_text::are_text, false);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    CHECK(tokenizer->decode(ids) == text);
    // n log n takes well under a second, n^2 hours; the slack is for sanitizers and busy machines.
    CHECK(seconds.count() < 60);
  }
}

TEST_CASE("a vocabulary that contradicts itself is refused by name") {
  const auto refused = [](auto&& change) {
    std::vector<std::string> tokens{"a", "b", "ab"}, merges{"a b"};
    std::vector<std::int32_t> kinds{1, 1, 1};
    gguf_builder builder;
    builder.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "gpt-2");
    change(builder, tokens, kinds, merges);
    builder.texts("tokenizer.ggml.tokens", tokens);
    builder.numbers("tokenizer.ggml.token_type", kinds);
    builder.texts("tokenizer.ggml.merges", merges);
    const act_test::temporary_folder folder;
    const std::filesystem::path path = folder.write("vocabulary.gguf", builder.build());
    const std::string message =
        message_of([&] { (void)act::runtime::load_tokenizer(act::runtime::gguf_file(path)); });
    if (!message.empty()) CHECK(act_test::is_one_line_about(message, path.string()));
    return message;
  };
  CHECK(refused([](auto&, auto&, auto&, auto&) {}).empty());
  CHECK(contains(refused([](auto&, auto& tokens, auto&, auto&) { tokens[1] = "a"; }), "'a' is there twice"));
  CHECK(contains(refused([](auto&, auto& tokens, auto&, auto&) { tokens.pop_back(); }),
                 "3 entries for 2 tokens"));
  CHECK(contains(refused([](auto&, auto&, auto& kinds, auto&) { kinds.push_back(1); }),
                 "4 entries for 3 tokens"));
  CHECK(contains(refused([](auto&, auto&, auto&, auto& merges) { merges.push_back("a c"); }),
                 "merge 1 names 'c'"));
  CHECK(contains(refused([](auto&, auto&, auto&, auto& merges) { merges.push_back("b a"); }),
                 "merge 1 names 'ba'"));
  for (const char* bad : {"ab", "", " ", "a ", " a"})
    CHECK(contains(refused([&](auto&, auto&, auto&, auto& merges) { merges.push_back(bad); }), "merge 1 "));
  CHECK(contains(refused([](auto& b, auto&, auto&, auto&) { b.number("tokenizer.ggml.bos_token_id", 3); }),
                 "bos_token_id"));
  CHECK(contains(refused([](auto& b, auto&, auto&, auto&) { b.flag("tokenizer.ggml.add_bos_token", true); }),
                 "add_bos_token"));
  CHECK(contains(message_of([] { (void)load(tokenizer_golden / "small.gguf", "nowhere"); }),
                 "'nowhere', a pre-tokenizer act doesn't have; it has default, gpt-2,"));
}

TEST_CASE("bit flips in a vocabulary give a refusal or a tokenizer that works") {
  const act_test::temporary_folder folder;
  const std::string content = act_test::read_whole_file(tokenizer_golden / "small.gguf");
  std::mt19937_64 random(20240703);
  for (int trial = 0; trial < 1000; ++trial) {
    std::string damaged = content;
    for (int i = 0; i < 3; ++i)
      damaged[random() % damaged.size()] ^= static_cast<char>(1u << random() % 8);
    const std::filesystem::path path = folder.write("damaged.gguf", damaged);
    const std::string message = message_of([&] {
      const std::unique_ptr<act::runtime::tokenizer> tokenizer =
          act::runtime::load_tokenizer(act::runtime::gguf_file(path));
      (void)tokenizer->decode(
          tokenizer->encode("Hello <|im_end|> 12 w\u00f6rld", special_tokens_in_text::are_tokens));
    });
    if (!message.empty()) CHECK(act_test::is_one_line_about(message, path.string()));
  }
}

TEST_CASE("bytes a vocabulary lacks vanish, or become the unknown token, fused or not") {
  const auto made = [](std::optional<act::runtime::token_id> unknown, bool fuse) {
    act::runtime::pipeline_parts parts;
    parts.source = "test";
    parts.pre = act::runtime::pre_tokenizer::gpt2();
    parts.tokens = {{"a", 0}, {"b", 1}, {"ab", 2}, {"?", 3}};
    act::runtime::bpe_settings settings;
    settings.merges = {{"a", "b"}};
    settings.unknown = unknown;
    settings.fuse_unknown = fuse;
    parts.model = settings;
    return act::runtime::pipeline_tokenizer(std::move(parts));
  };
  using ids = std::vector<act::runtime::token_id>;
  CHECK(made(std::nullopt, false).encode("axyb") ==
        ids{2});  // as the reference: the neighbours of what vanished meet
  CHECK(made(3, false).encode("axyb") == ids{0, 3, 3, 1});
  CHECK(made(3, true).encode("axyb") == ids{0, 3, 1});
}
