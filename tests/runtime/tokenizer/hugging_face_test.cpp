// Tokenizers of Hugging Face folders: the reference's ids on the golden lines, and what bad files get.
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/tokenizer/load.hpp>
#include <act/runtime/tokenizer/load_folder.hpp>
#include <act/runtime/tokenizer/tokenizer_json.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "golden_lines.hpp"
#include "message_of.hpp"

using act::runtime::special_tokens_in_text;
using act_test::check_all;
using act_test::contains;
using act_test::message_of;
using act_test::tokenizer_golden;

namespace {

/// A folder with `content` as its tokenizer.json, loaded.
std::unique_ptr<act::runtime::tokenizer> load_json(std::string_view content) {
  const act_test::temporary_folder folder;
  (void)folder.write("tokenizer.json", content);
  return act::runtime::load_tokenizer(folder.path());
}

std::string refused_json(std::string_view content) {
  const std::string message = message_of([&] { (void)load_json(content); });
  if (!message.empty()) CHECK(act_test::is_one_line_about(message, "tokenizer.json"));
  return message;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void compare_shared(const char* folder, const char* golden) {
  const std::filesystem::path path = std::filesystem::path(ACT_TEST_SHARED) / folder;
  if (!std::filesystem::exists(path)) {
    MESSAGE("[skipped] no real tokenizer at " << path.string());
    return;
  }
  check_all(act_test::compare_checks(*act::runtime::load_tokenizer(path), tokenizer_golden / golden, true));
}

}  // namespace

TEST_CASE("tokenizer.json: splits, digits, added tokens of every kind, a template") {
  const std::string small = act_test::read_whole_file(tokenizer_golden / "small.json");
  check_all(act_test::compare_checks(*load_json(small), tokenizer_golden / "small.json.checks", true));
  // Merges written the older way, as one text each, are the same merges.
  std::string older = small;
  const std::size_t merges = older.find("\"merges\":[[");
  REQUIRE(merges != std::string::npos);
  for (std::size_t at = older.find("[\"", merges + 10); at != std::string::npos; at = older.find("[\"", at)) {
    older.erase(at, 1);
    at = older.find("\",\"", at);
    older.replace(at, 3, " ");
    at = older.find("\"]", at);
    older.erase(at + 1, 1);
  }
  check_all(act_test::compare_checks(*load_json(older), tokenizer_golden / "small.json.checks", true));
}

#if defined(ACT_HAS_UTF8PROC)
TEST_CASE("tokenizer.json: NFC, with added tokens looked for in the normalised text") {
  const std::string nfc =
      replaced(act_test::read_whole_file(tokenizer_golden / "small.json"), "\"normalizer\":null",
               R"("normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"}]})");
  check_all(act_test::compare_checks(*load_json(nfc), tokenizer_golden / "small.nfc.checks", true));
}
TEST_CASE("GPT-NeoX's tokenizer gives the reference's ids") {
  compare_shared("tokenizers/gptneox", "shared.gptneox.checks");
}
#else
TEST_CASE("without utf8proc a normalizer is refused by name") {
  const std::string nfc = replaced(act_test::read_whole_file(tokenizer_golden / "small.json"),
                                   "\"normalizer\":null", R"("normalizer":{"type":"NFC"})");
  CHECK(contains(refused_json(nfc), "libutf8proc-dev"));
}
#endif

TEST_CASE("GPT-2's tokenizer gives the reference's ids") {
  compare_shared("tokenizers/gpt2", "shared.gpt2.checks");
}
TEST_CASE("OPT's vocabulary and merges give the reference's ids") {
  compare_shared("tokenizers/opt", "shared.opt.checks");
}

TEST_CASE("vocab.json and merges.txt: roles from tokenizer_config.json, mistakes by line") {
  const act_test::temporary_folder folder;
  (void)folder.write("vocab.json", R"({"a":0,"b":1,"ab":2,"<x>":3})");
  (void)folder.write("merges.txt", "#version: 0.2\r\na b\r\n\n");
  const auto ids = [&](std::string_view text) {
    return act::runtime::load_tokenizer(folder.path())->encode(text, special_tokens_in_text::are_tokens);
  };
  using list = std::vector<act::runtime::token_id>;
  CHECK(ids("ab") == list{2});
  (void)folder.write("tokenizer_config.json",
                     R"({"bos_token":{"content":"<x>"},"eos_token":"<x>","add_bos_token":true})");
  CHECK(ids("a<x>ab") == list{3, 0, 3, 2});
  CHECK(act::runtime::load_tokenizer(folder.path())->eos() == 3);
  const auto refused = [&](const char* name, const char* content, const char* good) {
    (void)folder.write(name, content);
    const std::string message = message_of([&] { (void)ids("a"); });
    CHECK(act_test::is_one_line_about(message, folder.path().string()));
    (void)folder.write(name, good);
    return message;
  };
  CHECK(contains(refused("tokenizer_config.json", R"({"bos_token":"<y>"})", "{}"),
                 "the token '<y>', which texts begin or end with, isn't in"));
  CHECK(contains(refused("tokenizer_config.json", R"({"bos_token":7})", "{}"), "'bos_token' isn't a token"));
  CHECK(contains(refused("merges.txt", "#version: 0.2\na b\nab\n", "a b\n"), "merges.txt:3"));
  CHECK(contains(refused("merges.txt", "a b c\n", "a b\n"), "merges.txt:1"));
  CHECK(contains(refused("merges.txt", "a c\n", "a b\n"), "names 'c'"));
  CHECK(contains(refused("vocab.json", R"({"a":0,"b":0,"ab":2})", "{}"), "id 0 is there twice"));
  CHECK(contains(refused("vocab.json", R"({"a":-1})", "{}"), "whole number"));
  CHECK(contains(refused("vocab.json", R"({"a":2000000000})", "{}"), "impossible id"));
  CHECK(contains(refused("vocab.json", R"({"a":0,"a":1})", "{}"), "key 'a' appears twice in one object"));
  const act_test::temporary_folder empty;
  CHECK(contains(message_of([&] { (void)act::runtime::load_tokenizer(empty.path()); }),
                 "has no tokenizer.json"));
}

TEST_CASE("a vocabulary of characters has one id a character, and refuses the others") {
  const act_test::temporary_folder folder;
  (void)folder.write("char_vocab.json", R"({"\n":0,"a":1,"\u00e9":2})");
  const std::unique_ptr<act::runtime::tokenizer> tokenizer = act::runtime::load_tokenizer(folder.path());
  using list = std::vector<act::runtime::token_id>;
  CHECK(tokenizer->encode("a\u00e9\na") == list{1, 2, 0, 1});
  CHECK(tokenizer->decode(list{1, 2, 0}) == "a\u00e9\n");
  CHECK(tokenizer->vocabulary_size() == 3);
  CHECK_FALSE(tokenizer->bos().has_value());
  CHECK(contains(message_of([&] { (void)tokenizer->encode("ab"); }),
                 "text: at byte 1: the model's vocabulary of 3 characters has no 'b'"));
  CHECK(contains(message_of([&] { (void)tokenizer->encode("a\xff"); }), "UTF-8"));
  for (const char* bad : {R"({"ab":0})", R"({"":0})", R"({"a":1})", R"({"a":0,"b":0})"}) {
    (void)folder.write("char_vocab.json", bad);
    CHECK(
        contains(message_of([&] { (void)act::runtime::load_tokenizer(folder.path()); }), "char_vocab.json"));
  }
  const std::filesystem::path real = std::filesystem::path(ACT_TEST_SHARED) / "models/slm4096-gpt2";
  if (!std::filesystem::exists(real)) return;
  const std::string corpus = act_test::read_whole_file(real / "corpus.txt");
  const std::unique_ptr<act::runtime::tokenizer> trained = act::runtime::load_tokenizer(real);
  CHECK(trained->encode(corpus).size() == corpus.size());
  CHECK(trained->decode(trained->encode(corpus)) == corpus);
}

TEST_CASE("components of tokenizer.json that act doesn't have are refused by name, malformed ones too") {
  const std::string small = act_test::read_whole_file(tokenizer_golden / "small.json");
  const auto with = [&](std::string_view from, std::string_view to) {
    return refused_json(replaced(small, from, to));
  };
  CHECK(contains(with("\"normalizer\":null", R"("normalizer":{"type":"Lowercase"})"), "'Lowercase'"));
  CHECK(contains(with("\"type\":\"Digits\"", "\"type\":\"Whitespace\""), "'Whitespace'"));
  CHECK(contains(with("\"type\":\"ByteLevel\"", "\"type\":\"Metaspace\""), "'replacement'"));
  CHECK(contains(with("\"type\":\"TemplateProcessing\"", "\"type\":\"Novel\""), "'Novel'"));
  CHECK(contains(with("\"type\":\"BPE\"", "\"type\":\"Unigram\""), "'vocab' that isn't a list"));
  CHECK(contains(with("\"dropout\":null", "\"dropout\":0.1"), "dropout"));
  CHECK(contains(with("\"unk_token\":null", "\"unk_token\":\"nowhere\""), "unk_token"));
  CHECK(contains(with("(?i:", "(?i:("), "doesn't compile"));
  // Found by fuzzing: what a message quotes from the file must not break its line.
  CHECK(contains(with("(?i:", "\\n(("), "doesn't compile"));
  CHECK(contains(with("\"id\":\"<|im_start|>\"", R"("id":"a\nb")"), "has no 'a\\x0ab'"));
  CHECK(contains(with("\"id\":900", "\"id\":4000000000"), "token id"));
  CHECK(contains(with("\"id\":900", "\"id\":901"), "but with its vocabulary the token has 900"));
  CHECK(contains(with("\"merges\":[", "\"merges\":[\"x\","), "entry 0"));
  CHECK(contains(with("\"merges\":[", "\"merges\":[[\"nowhere\",\"a\"],"), "merge 0 names 'nowhere'"));
  CHECK(contains(refused_json("{}"), "'model'"));
  CHECK(contains(refused_json("[]"), "isn't a JSON object"));
}

TEST_CASE("a tokenizer.json cut anywhere or with flipped bits is refused, or is one that works") {
  const std::string small = act_test::read_whole_file(tokenizer_golden / "small.json");
  for (std::size_t length = 0; length < small.size(); length += 97) {
    CAPTURE(length);
    REQUIRE(contains(refused_json(std::string_view(small).substr(0, length)), "not valid JSON at byte"));
  }
  std::mt19937_64 random(20240703);
  for (int trial = 0; trial < 400; ++trial) {
    std::string damaged = small;
    // Mostly in the first 4 KB, where the structure is.
    for (int i = 0; i < 2; ++i)
      damaged[random() % (trial % 4 == 0 ? damaged.size() : 4096)] ^= static_cast<char>(1u << random() % 8);
    const std::string message = message_of([&] {
      const std::unique_ptr<act::runtime::tokenizer> tokenizer = load_json(damaged);
      (void)tokenizer->decode(
          tokenizer->encode("Hello <|im_end|> 12 w\u00f6rld", special_tokens_in_text::are_tokens));
    });
    if (!message.empty()) CHECK_FALSE(contains(message, "\n"));
  }
}

#if defined(ACT_HAS_SENTENCEPIECE)
TEST_CASE("SentencePiece gives its own ids from tokenizer.model and from GGUF's lists") {
  const act_test::temporary_folder folder;
  std::filesystem::copy_file(tokenizer_golden / "small.model", folder.path() / "tokenizer.model");
  const std::unique_ptr<act::runtime::tokenizer> tokenizer = act::runtime::load_tokenizer(folder.path());
  check_all(act_test::compare_checks(*tokenizer, tokenizer_golden / "small.spm.checks", true));
  check_all(act_test::compare_checks(
      *act::runtime::load_tokenizer(act::runtime::gguf_file(tokenizer_golden / "small.spm.gguf")),
      tokenizer_golden / "small.spm.checks", true));
  for (const char* text : {"Hello  world", " lead", "\xf0\x9f\x98\x80 \xc3\xa9", "a\nb", ""})
    CHECK(tokenizer->decode(tokenizer->encode(text, special_tokens_in_text::are_text, false)) == text);
  CHECK(tokenizer->encode("a</s>", special_tokens_in_text::are_tokens, false).back() == 2);
  CHECK(tokenizer->decode(tokenizer->encode("a</s>", special_tokens_in_text::are_tokens), true) == "a");
  // As text they are characters like others.
  CHECK(tokenizer->encode("a</s>", special_tokens_in_text::are_text, false).back() != 2);
  CHECK(tokenizer->decode(tokenizer->encode("a</s>"), true) == "a</s>");
  CHECK(tokenizer->bos() == 1);
  CHECK(tokenizer->find("</s>") == 2);
  CHECK_FALSE(tokenizer->find("nowhere").has_value());
  CHECK(contains(message_of([&] { (void)tokenizer->encode("\xff"); }), "UTF-8"));
}
TEST_CASE("Llama's SentencePiece models give the library's ids") {
  compare_shared("tokenizers/llama", "shared.llama.checks");
  compare_shared("models/stories260K-llama", "shared.stories.checks");
  compare_shared("models/stories-xs-llama", "shared.stories.checks");
}
TEST_CASE("a damaged SentencePiece model is refused or works") {
  const std::string small = act_test::read_whole_file(tokenizer_golden / "small.model");
  const act_test::temporary_folder folder;
  const auto open = [&](std::string_view content) {
    (void)folder.write("tokenizer.model", content);
    return message_of([&] {
      const std::unique_ptr<act::runtime::tokenizer> tokenizer = act::runtime::load_tokenizer(folder.path());
      (void)tokenizer->decode(tokenizer->encode("Hello </s> w\u00f6rld", special_tokens_in_text::are_tokens));
    });
  };
  std::mt19937_64 random(20240703);
  for (int trial = 0; trial < 400; ++trial) {
    std::string damaged = small;
    damaged[random() % (trial % 2 == 0 ? damaged.size() : 256)] ^= static_cast<char>(1u << random() % 8);
    const std::string message = open(damaged);
    if (!message.empty()) CHECK(act_test::is_one_line_about(message, "tokenizer.model"));
  }
  for (std::size_t length = 0; length < small.size(); length += 61)
    (void)open(std::string_view(small).substr(0, length));
}
#else
TEST_CASE("without libsentencepiece its tokenizers are refused by name") {
  CHECK(contains(message_of([] {
                   (void)act::runtime::load_tokenizer(
                       act::runtime::gguf_file(tokenizer_golden / "small.spm.gguf"));
                 }),
                 "libsentencepiece-dev"));
}
#endif
