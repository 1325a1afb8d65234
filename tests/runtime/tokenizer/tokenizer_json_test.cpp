// tokenizer.json: the ids and the decoded text of the Python package `tokenizers`, for the layouts of model
// families and for every component and option (tests/golden/tokenizer/make_variants.py).
#include <act/io/utf8.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/tokenizer/load.hpp>
#include <act/runtime/tokenizer/load_folder.hpp>
#include <act/runtime/tokenizer/pipeline_tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_json.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "golden_lines.hpp"
#include "message_of.hpp"
#include "runtime/checkpoint/gguf_builder.hpp"

using act::runtime::special_tokens_in_text;
using act_test::contains;
using act_test::message_of;
using act_test::tokenizer_golden;
using nlohmann::json;

namespace {

constexpr std::size_t step = 9;  // as in make_variants.py

json base(const std::string& name) {
  return json::parse(act_test::read_whole_file(tokenizer_golden / name));
}

/// `document` with the members that a variant sets, by path ("model.vocab").
json with(json document, const json& changes) {
  for (const auto& [path, value] : changes.items()) {
    std::string pointer = "/" + path;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    document[json::json_pointer(pointer)] = value;
  }
  return document;
}

act::runtime::pipeline_tokenizer loaded(const json& document) {
  const act_test::temporary_folder folder;
  return act::runtime::pipeline_tokenizer(
      act::runtime::read_tokenizer_json(folder.write("tokenizer.json", document.dump())));
}

std::string refused(const json& document) {
  const std::string message = message_of([&] { (void)loaded(document); });
  CHECK(act_test::is_one_line_about(message, "tokenizer.json"));
  return message;
}

/// What the reference makes of bytes that aren't UTF-8: U+FFFD for each longest beginning of a character.
std::string shown(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size();) {
    if (const std::size_t length = act::io::utf8_length(bytes, at); length > 0) {
      text += bytes.substr(at, length);
      at += length;
      continue;
    }
    text += "\xef\xbf\xbd";
    std::size_t begun = 1;
    // Some bytes behind a beginning complete it.
    const auto begins = [&](std::size_t size) {
      for (const char* end : {"\x80\x80\x80", "\x90\x80\x80", "\xa0\x80\x80"})
        if (act::io::utf8_length(std::string(bytes.substr(at, size)) + end, 0) > size) return true;
      return false;
    };
    while (at + begun < bytes.size() && begins(begun + 1))
      ++begun;
    at += begun;
  }
  return text;
}

std::uint16_t low(std::string_view data) {
  return static_cast<std::uint16_t>(act_test::crc32(std::as_bytes(std::span(data))));
}
std::uint16_t low(const std::vector<act::runtime::token_id>& ids) {
  return static_cast<std::uint16_t>(act_test::crc32(std::as_bytes(std::span(ids))));
}

}  // namespace

TEST_CASE("every component of tokenizer.json gives the reference's ids and decoded text") {
  const json variants = base("variants.json");
  const std::vector<std::string> lines = act_test::golden_lines();
  act_test::golden_reader golden(tokenizer_golden / "variants.sums");
  std::size_t compared = 0;
  for (std::size_t number = 0; number < variants.size(); ++number) {
    const json& variant = variants[number];
    const std::string name = variant["name"].get<std::string>();
    CAPTURE(name);
    const json document = with(base(variant["base"].get<std::string>()), variant["set"]);
#if !defined(ACT_HAS_UTF8PROC)
    if (document["normalizer"].dump().find("\"NF") != std::string::npos) {
      CHECK(contains(refused(document), "libutf8proc-dev"));
      for (std::size_t at = number % step; at < lines.size(); at += step)
        (void)golden.text(4 * sizeof(std::uint16_t));
      continue;
    }
#endif
    const act::runtime::pipeline_tokenizer tokenizer = loaded(document);
    act_test::comparison ids_equal, text_equal, decoded_equal, skipped_equal;
    for (std::size_t at = number % step; at < lines.size(); at += step) {
      const std::string& line = lines[at];
      const auto ids = tokenizer.encode(line, special_tokens_in_text::are_tokens);
      ids_equal.add(line, low(ids) == golden.number<std::uint16_t>());
      text_equal.add(line, low(tokenizer.encode(line)) == golden.number<std::uint16_t>());
      decoded_equal.add(line, low(shown(tokenizer.decode(ids))) == golden.number<std::uint16_t>());
      skipped_equal.add(line, low(shown(tokenizer.decode(ids, true))) == golden.number<std::uint16_t>());
      ++compared;
    }
    for (const auto* result : {&ids_equal, &text_equal, &decoded_equal, &skipped_equal}) {
      INFO(result->shown);
      CHECK(result->mismatches == 0);
    }
  }
  CHECK(golden.at_end());
  CHECK(compared > 25'000);
}

TEST_CASE("as text, no spelling of a control token becomes it, whatever the model could do") {
  const auto never = [](const json& document, std::string_view text, act::runtime::token_id control) {
    const auto tokenizer = loaded(document);
    const auto ids = tokenizer.encode(text, special_tokens_in_text::are_text, false);
    CHECK(std::find(ids.begin(), ids.end(), control) == ids.end());
    const auto asked = tokenizer.encode(text, special_tokens_in_text::are_tokens, false);
    CHECK(std::find(asked.begin(), asked.end(), control) != asked.end());
  };
  never(base("small.unigram.json"), "a</s>", 2);
  // A vocabulary whose merges, or whole pieces, make a control token of letters.
  json small = base("small.json");
  small["model"]["vocab"] = {{"<", 0}, {"s", 1}, {">", 2}, {"<s", 3}, {"<s>", 4}};
  small["model"]["merges"] = {"< s", "<s >"};
  small["added_tokens"] = json::array({{{"id", 4}, {"content", "<s>"}, {"special", true}}});
  small["post_processor"] = nullptr;
  small["pre_tokenizer"] = nullptr;
  for (const bool whole : {false, true})
    never(with(small, {{"model.ignore_merges", whole}}), "<s>", 4);
}

TEST_CASE("the class LlamaTokenizer has its own steps over a tokenizer.json, as in transformers 5.24") {
  const json variants = base("variants.json");
  const auto layout = [&](std::string_view name) {
    for (const json& variant : variants)
      if (variant["name"] == name) return loaded(with(base("small.fallback.json"), variant["set"]));
    throw std::runtime_error("no such layout");
  };
  const auto same = [&](const json& settings, std::string_view name) {
    CAPTURE(name);
    const act_test::temporary_folder folder;
    (void)folder.write("tokenizer.json", base("small.fallback.json").dump());
    json all = {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"}};
    all.update(settings);
    (void)folder.write("tokenizer_config.json", all.dump());
    const auto tokenizer = act::runtime::load_tokenizer(folder.path());
    const auto expected = layout(name);
    for (const std::string& line : act_test::golden_lines()) {
      const auto ids = tokenizer->encode(line, special_tokens_in_text::are_tokens);
      REQUIRE(ids == expected.encode(line, special_tokens_in_text::are_tokens));
      REQUIRE(tokenizer->decode(ids) == expected.decode(ids));
    }
  };
  const json llama = {{"tokenizer_class", "LlamaTokenizer"}};
  const auto set = [&](const char* key, bool value) {
    json changed = llama;
    changed[key] = value;
    return changed;
  };
  same(set("legacy", false), "mistral");
  same(set("legacy", true), "llama, always");
  same(llama, "llama, always");  // as until 4.31 (docs/tokenizers.md)
  same(set("add_prefix_space", false), "llama, never");
  same({{"tokenizer_class", "PreTrainedTokenizerFast"}}, "llama2");
}

TEST_CASE("names of tokenizer.ggml.pre give the reference's ids of their patterns") {
  const act::runtime::gguf_file file(tokenizer_golden / "small.gguf");
  act_test::golden_reader golden(tokenizer_golden / "pre_names.sums");
  const std::vector<std::string> lines = act_test::golden_lines();
  const auto named = [&](const std::string& name) {
    act_test::gguf_builder copy;
    copy.text("tokenizer.ggml.model", "gpt2");
    if (!name.empty()) copy.text("tokenizer.ggml.pre", name);
    for (const char* key : {"tokenizer.ggml.tokens", "tokenizer.ggml.merges"}) {
      std::vector<std::string> list;
      for (const std::string_view entry : file.get<std::vector<std::string_view>>(key))
        list.emplace_back(entry);
      copy.texts(key, list);
    }
    copy.numbers("tokenizer.ggml.token_type",
                 file.get<std::vector<std::int32_t>>("tokenizer.ggml.token_type"));
    copy.number("tokenizer.ggml.bos_token_id", 1);
    const act_test::temporary_folder folder;
    return act::runtime::load_tokenizer(act::runtime::gguf_file(folder.write("copy.gguf", copy.build())));
  };
  const auto ids = [](const act::runtime::tokenizer& by, std::string_view line) {
    return by.encode(line, special_tokens_in_text::are_tokens, false);
  };
  for (const char* name : {"default", "gpt-2", "smollm", "llama-bpe", "qwen2", "qwen35", "tekken", "gpt-4o",
                           "bloom", "viking", "falcon", "deepseek-v3"}) {
    CAPTURE(name);
    const auto tokenizer = named(name);
    act_test::comparison result;
    for (std::size_t at = 0; at < lines.size(); at += step)
      result.add(lines[at], low(ids(*tokenizer, lines[at])) == golden.number<std::uint16_t>());
    INFO(result.shown);
    CHECK(result.mismatches == 0);
  }
  CHECK(golden.at_end());
  // Other names of the same; without a name llama.cpp's default.
  const std::vector<std::pair<std::string, std::string>> same{
      {"", "default"},          {"olmo", "gpt-2"},       {"phi-2", "gpt-2"},     {"llama3", "llama-bpe"},
      {"stablelm2", "qwen2"},   {"starcoder", "smollm"}, {"poro-chat", "bloom"}, {"smaug-bpe", "llama-bpe"},
      {"pixtral", "llama-bpe"}, {"llama4", "gpt-4o"}};
  for (const auto& pair : same) {
    const std::string &other = pair.first, &name = pair.second;
    CAPTURE(other);
    const auto left = named(other), right = named(name);
    std::size_t differ = 0;
    for (std::size_t at = 0; at < lines.size(); at += 40)
      differ += ids(*left, lines[at]) != ids(*right, lines[at]);
    // smaug-bpe has Llama 3's pattern without its whole words.
    CHECK((other == "smaug-bpe" || differ == 0));
  }
  // Every name that the refusal lists is known.
  const std::string message = message_of([&] { (void)named("nowhere"); });
  const std::size_t list = message.find("it has ");
  REQUIRE(list != std::string::npos);
  std::size_t count = 0;
  for (std::size_t at = list + 7; at < message.size(); ++count) {
    const std::size_t end = std::min(message.find(", ", at), message.size());
    CHECK(message_of([&] { (void)named(message.substr(at, end - at)); }).empty());
    at = end + 2;
  }
  CHECK(count == 49);
  // What llama.cpp concludes from the name: these begin texts with a token.
  for (const char* name : {"llama-bpe", "llama3", "tekken"})
    CHECK(named(name)->encode("") == std::vector<act::runtime::token_id>{1});
  for (const char* name : {"gpt-2", "qwen2", "smaug-bpe", ""})
    CHECK(named(name)->encode("").empty());
}

TEST_CASE("the real tokenizers' decoded text is the reference's") {
  const auto compare = [](const act::runtime::tokenizer& by, const char* golden, bool add_special) {
    act_test::golden_reader texts(tokenizer_golden / golden);
    act_test::comparison result;
    for (const std::string& line : act_test::golden_lines()) {
      const auto ids = by.encode(line, special_tokens_in_text::are_tokens, add_special);
      result.add(line, low(shown(by.decode(ids))) == texts.number<std::uint16_t>());
    }
    act_test::check_all(result);
    CHECK(texts.at_end());
  };
  if (std::filesystem::exists(ACT_TEST_MODEL))
    compare(*act::runtime::load_tokenizer(act::runtime::gguf_file(ACT_TEST_MODEL)), "smollm2.texts", false);
  else
    MESSAGE("[skipped] no model at " << ACT_TEST_MODEL);
#if defined(ACT_HAS_UTF8PROC)
  const std::vector<const char*> names{"gpt2", "gptneox", "opt"};
#else
  const std::vector<const char*> names{"gpt2", "opt"};
#endif
  for (const char* name : names) {
    const std::filesystem::path folder = std::filesystem::path(ACT_TEST_SHARED) / "tokenizers" / name;
    if (std::filesystem::exists(folder))
      compare(*act::runtime::load_tokenizer(folder.string()),
              (std::string("shared.") + name + ".texts").c_str(), true);
    else
      MESSAGE("[skipped] no real tokenizer at " << folder.string());
  }
}

TEST_CASE("what act doesn't have is refused by name") {
  const json small = base("small.json");
  const auto setting = [&](const std::string& path, const json& value) {
    return refused(with(small, {{path, value}}));
  };
  const auto of_type = [](const char* type) { return json{{"type", type}}; };
  for (const char* name : {"Lowercase", "Precompiled", "BertNormalizer", "StripAccents", "Nmt", "Novel"})
    CHECK(contains(setting("normalizer", of_type(name)),
                   std::string("'") + name + "', which act doesn't have"));
  for (const char* name :
       {"BertPreTokenizer", "Whitespace", "Punctuation", "UnicodeScripts", "Delimiter", "FixedLength"})
    CHECK(contains(setting("pre_tokenizer", of_type(name)),
                   std::string("'") + name + "', which act doesn't have"));
  for (const char* name : {"WordPiece", "CTC", "BPEDecoder"})
    CHECK(contains(setting("decoder", of_type(name)), std::string("'") + name + "', which act doesn't have"));
  CHECK(contains(setting("post_processor", of_type("Novel")), "'Novel', which act doesn't have"));
  for (const char* name : {"WordPiece", "WordLevel"})
    CHECK(contains(setting("model.type", name), std::string("'") + name + "', which act doesn't have"));
  CHECK(contains(setting("model.dropout", 0.5), "dropout"));
  CHECK(contains(setting("model.continuing_subword_prefix", "##"), "continuing_subword_prefix"));
  CHECK(contains(setting("model.end_of_word_suffix", "</w>"), "end_of_word_suffix"));
  CHECK(contains(setting("version", "2.0"), "'version'"));
  const json around = small["post_processor"];
  CHECK(contains(setting("post_processor", {{"type", "Sequence"}, {"processors", {around, around}}}),
                 "puts tokens around a text twice"));
  json deep = {{"type", "NFC"}};
  for (int i = 0; i < 20; ++i)
    deep = {{"type", "Sequence"}, {"normalizers", json::array({deep})}};
  CHECK(contains(setting("normalizer", deep), "Sequences"));

  const auto pattern = [&](const char* text) {
    return setting(
        "pre_tokenizer",
        {{"type", "Split"}, {"pattern", {{"Regex", text}}}, {"behavior", "Isolated"}, {"invert", false}});
  };
  for (const char* construct : {"\\b",      "\\1",     "\\k<n>", "\\G",     "\\X",         "\\R",     "\\K",
                                "(?<n>",    "(?m:",    "(?#",    "[a&&b]",  "[[:alpha:]]", "[a[^b]]", "[]a]",
                                "\\p{Han}", "\\p{Mn}", "[\\W]",  "a{2,3}+", "a{2}?",       "\\ud"})
    CHECK(contains(pattern(construct), ", which act doesn't have"));
  for (const char* malformed : {"(", "[a", "a**b(", "\\"})
    CHECK(contains(pattern(malformed), "doesn't compile"));
}

TEST_CASE("steps that make a text grow without end are refused") {
  json small = base("small.json");
  small["added_tokens"] = json::array();  // they would grow when the file is read
  json grows = json::array();
  for (int i = 0; i < 40; ++i)
    grows.push_back({{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}});
  const std::string text(100, 'a');
  const auto normalizing =
      loaded(with(small, {{"normalizer", {{"type", "Sequence"}, {"normalizers", grows}}}}));
  CHECK(contains(message_of([&] { (void)normalizing.encode(text); }), "more than 64 times as long"));
  const auto decoding = loaded(with(small, {{"decoder", {{"type", "Sequence"}, {"decoders", grows}}}}));
  CHECK(contains(message_of([&] { (void)decoding.decode(decoding.encode(text)); }),
                 "more than 64 times as long"));
}

TEST_CASE("a Replace at empty places is refused when it comes to one") {
  const auto tokenizer = loaded(
      with(base("small.json"),
           {{"added_tokens", json::array()},
            {"normalizer", {{"type", "Replace"}, {"pattern", {{"Regex", "(?=x)"}}}, {"content", "_"}}}}));
  CHECK(contains(message_of([&] { (void)tokenizer.encode("an x"); }), "matches an empty place"));
  CHECK(!tokenizer.encode("an a").empty());
}

TEST_CASE("a unigram vocabulary that contradicts itself is refused, and so is a character without a token") {
  const json small = base("small.unigram.json");
  const auto setting = [&](const std::string& path, const json& value) {
    return refused(with(small, {{path, value}}));
  };
  CHECK(contains(setting("model.unk_id", 100'000), "unk_id"));
  CHECK(contains(setting("model.vocab", json::array({json::array({"a"})})), "entry 0"));
  CHECK(contains(setting("model.vocab", json::array({json::array({"a", "b"})})), "entry 0"));
  json twice = small["model"]["vocab"];
  twice.push_back(twice.back());
  CHECK(contains(setting("model.vocab", twice), "is there twice"));
  json long_token = small["model"]["vocab"];
  long_token.push_back({std::string(1025, 'a'), 0.0});
  CHECK(contains(setting("model.vocab", long_token), "1025 bytes"));
  const auto without = loaded(with(small, {{"model.unk_id", nullptr}}));
  CHECK(contains(message_of([&] { (void)without.encode("\u4e2d"); }), "there is no unknown token"));
}

TEST_CASE("a megabyte in one piece takes no quadratic time, with every model and mark") {
  std::mt19937_64 random(7);
  std::string mixed;
  for (int i = 0; i < 1'000'000; ++i)
    mixed += static_cast<char>('a' + random() % 26);
  for (const char* name : {"small.fallback.json", "small.unigram.json"}) {
    const auto tokenizer = loaded(base(name));
    for (const std::string& text : {std::string(1'000'000, 'a'), std::string(1'000'000, ' '), mixed}) {
      const auto start = std::chrono::steady_clock::now();
      const auto ids = tokenizer.encode(text);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      CHECK(ids.size() > 10'000);
      CHECK(seconds.count() < 60);  // slack for sanitizers and busy machines
    }
  }
}
