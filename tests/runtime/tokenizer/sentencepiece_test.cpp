// SentencePiece's kinds: unigram and BPE, with and without a space before a text, from tokenizer.model and
// from GGUF's lists; Gemma's vocabulary; what act doesn't have. Ids are those of the library's own Python
// package (make_sentencepiece.py).
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/tokenizer/load.hpp>
#include <act/runtime/tokenizer/load_folder.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "golden_lines.hpp"
#include "message_of.hpp"
#include "runtime/checkpoint/gguf_builder.hpp"

using act::runtime::special_tokens_in_text;
using act_test::check_all;
using act_test::compare_checks;
using act_test::contains;
using act_test::message_of;
using act_test::tokenizer_golden;
using ids = std::vector<act::runtime::token_id>;

TEST_CASE("GGUF: a tokenizer act doesn't have is refused by its name") {
  for (const char* name : {"t5", "bert", "rwkv", "no such"}) {
    act_test::gguf_builder builder;
    builder.text("tokenizer.ggml.model", name);
    const act_test::temporary_folder folder;
    const std::string path = folder.write("other.gguf", builder.build());
    const std::string message =
        message_of([&] { (void)act::runtime::load_tokenizer(act::runtime::gguf_file(path)); });
    CHECK(act_test::is_one_line_about(message, path));
    CHECK(contains(message, std::string("'") + name + "'"));
    CHECK(contains(message, "gpt2 and llama"));
  }
}

#if defined(ACT_HAS_SENTENCEPIECE)
namespace {

std::unique_ptr<act::runtime::tokenizer> load_model_file(const char* name, std::string_view more = {}) {
  const act_test::temporary_folder folder;
  (void)folder.write("tokenizer.model",
                     act_test::read_whole_file(tokenizer_golden / name) + std::string(more));
  return act::runtime::load_tokenizer(folder.path());
}

std::unique_ptr<act::runtime::tokenizer> load_gguf(const std::filesystem::path& path) {
  return act::runtime::load_tokenizer(act::runtime::gguf_file(path));
}

/// How many golden lines aren't given back by decoding their ids, but for U+2581, which is a space then.
std::size_t changed_lines(const act::runtime::tokenizer& tokenizer) {
  std::size_t changed = 0;
  for (const std::string& line : act_test::golden_lines()) {
    if (line.find("\xe2\x96\x81") != std::string::npos) continue;
    changed += tokenizer.decode(tokenizer.encode(line, special_tokens_in_text::are_text, false)) != line;
  }
  return changed;
}

}  // namespace

TEST_CASE("unigram with byte fallback, extra spaces removed") {
  const auto tokenizer = load_model_file("small.unigram.model");
  check_all(compare_checks(*tokenizer, tokenizer_golden / "small.unigram.checks", true));
  CHECK(tokenizer->encode("  the   word ", special_tokens_in_text::are_text) ==
        tokenizer->encode("the word", special_tokens_in_text::are_text));
  CHECK(tokenizer->encode("   ", special_tokens_in_text::are_text, false).empty());
}

TEST_CASE(
    "BPE in the manner of Gemma: no space before a text, user-defined pieces, the same from both forms") {
  for (const auto& tokenizer :
       {load_model_file("small.plain.model"), load_gguf(tokenizer_golden / "small.plain.gguf")}) {
    check_all(compare_checks(*tokenizer, tokenizer_golden / "small.plain.checks", true));
    CHECK(changed_lines(*tokenizer) == 0);
    // User-defined pieces are found in every text, control tokens aren't.
    CHECK(tokenizer->encode("<b>", special_tokens_in_text::are_text, false) == ids{*tokenizer->find("<b>")});
    CHECK(tokenizer->encode("</s>", special_tokens_in_text::are_text, false) != ids{2});
    CHECK(tokenizer->encode("</s>", special_tokens_in_text::are_tokens, false) == ids{2});
  }
}

TEST_CASE("decoding gives back what SentencePiece's BPE tokenised") {
  CHECK(changed_lines(*load_model_file("small.model")) == 0);
  CHECK(changed_lines(*load_gguf(tokenizer_golden / "small.spm.gguf")) == 0);
}

TEST_CASE("settings of a SentencePiece model that act doesn't have are refused by name") {
  const auto refused = [](std::string_view more) {
    const std::string message = message_of([&] { (void)load_model_file("small.model", more); });
    CHECK(act_test::is_one_line_about(message, "tokenizer.model"));
    return message;
  };
  using namespace std::string_view_literals;
  // Fields written behind a model overrule its own: a protocol buffer's rule.
  CHECK(contains(refused("\x1a\x03\x12\x01x"sv), "compiled table"));
  CHECK(contains(refused("\x2a\x03\x12\x01x"sv), "compiled table"));
  CHECK(contains(refused("\x12\x02\x18\x03"sv), "neither a unigram nor a BPE model"));
  CHECK(contains(refused("\x12\x03\xc0\x01\x01"sv), "'treat_whitespace_as_suffix'"));
  CHECK(contains(refused("\x1a\x02\x28\x00"sv), "'escape_whitespaces'"));
  CHECK(message_of([&] { (void)load_model_file("small.model", "\x12\x02\x18\x02"sv); }).empty());
}

TEST_CASE("a zero byte in a piece is refused where the library would end the process") {
  using namespace std::string_view_literals;
  // Found by fuzzing: a unigram model of two pieces.
  const std::string_view unigram =
      "\x0a\x0e\x0a\x05<unk>\x15\0\0\0\0\x18\x02\x0a\x0c\x0a\x03\0e>\x15\0\0\x80\xbf\x18\x01"sv;
  const act_test::temporary_folder folder;
  (void)folder.write("tokenizer.model", unigram);
  const std::string message = message_of([&] { (void)act::runtime::load_tokenizer(folder.path()); });
  CHECK(act_test::is_one_line_about(message, "tokenizer.model"));
  CHECK(contains(message, "piece 1 has a zero byte"));
  // A user-defined piece of a BPE model: one more behind the 700 of small.model.
  CHECK(contains(message_of([&] {
                   (void)load_model_file("small.model", "\x0a\x0c\x0a\x03\0e>\x15\0\0\x80\xbf\x18\x04"sv);
                 }),
                 "piece 700 has a zero byte"));
}

TEST_CASE("GGUF's lists: what contradicts itself is refused by name") {
  const auto refused = [](auto&& change) {
    std::vector<std::string> tokens{"<unk>", "<s>", "</s>", "a", "b"};
    std::vector<std::int32_t> kinds{2, 3, 3, 1, 1};
    std::vector<float> scores(5);
    act_test::gguf_builder builder;
    builder.text("tokenizer.ggml.model", "llama");
    change(builder, tokens, kinds, scores);
    builder.texts("tokenizer.ggml.tokens", tokens);
    builder.numbers("tokenizer.ggml.token_type", kinds);
    builder.reals("tokenizer.ggml.scores", scores);
    const act_test::temporary_folder folder;
    const std::filesystem::path path = folder.write("vocabulary.gguf", builder.build());
    const std::string message = message_of([&] { (void)load_gguf(path); });
    if (!message.empty()) CHECK(act_test::is_one_line_about(message, path.string()));
    return message;
  };
  CHECK(refused([](auto&, auto&, auto&, auto&) {}).empty());
  CHECK(contains(refused([](auto&, auto&, auto& kinds, auto&) { kinds.pop_back(); }), "4 token types"));
  CHECK(contains(refused([](auto&, auto&, auto& kinds, auto&) { kinds[3] = 7; }), "impossible type 7"));
  CHECK(contains(refused([](auto&, auto&, auto& kinds, auto&) { kinds[3] = 0; }), "impossible type 0"));
  CHECK(contains(
      refused([](auto&, auto&, auto&, auto& scores) { scores[4] = std::numeric_limits<float>::quiet_NaN(); }),
      "token 4"));
  CHECK(contains(refused([](auto&, auto& tokens, auto&, auto&) { tokens[4] = "a"; }), "already defined"));
  CHECK(contains(refused([](auto&, auto&, auto& kinds, auto&) { kinds[0] = 3; }), "unk is not defined"));
  CHECK(refused([](auto& b, auto&, auto& kinds, auto&) {
          kinds[0] = 3;
          b.number("tokenizer.ggml.unknown_token_id", 0);
        }).empty());
  for (const char* key : {"unknown_token_id", "bos_token_id", "eos_token_id", "eot_token_id", "eom_token_id"})
    CHECK(contains(
        refused([&](auto& b, auto&, auto&, auto&) { b.number(std::string("tokenizer.ggml.") + key, 5); }),
        std::string(key) + "' is 5, outside the vocabulary of 5"));
}

TEST_CASE("Gemma 3's vocabulary gives SentencePiece's ids, special tokens being tokens or text") {
  if (!std::filesystem::exists(ACT_TEST_GEMMA3)) {
    MESSAGE("[skipped] no model at " << ACT_TEST_GEMMA3 << "; third_party/fetch_model.sh gemma3 fetches it");
    return;
  }
  const act::runtime::gguf_file file(ACT_TEST_GEMMA3);
  const auto start = std::chrono::steady_clock::now();
  const auto tokenizer = act::runtime::load_tokenizer(file);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  MESSAGE("262,144 tokens loaded in " << seconds.count() << " s");
  CHECK(seconds.count() < 20);  // half a second on an idle machine; the slack is for sanitizers and busy ones
  CHECK(tokenizer->vocabulary_size() == 262'144);
  check_all(compare_checks(*tokenizer, tokenizer_golden / "gemma3.checks", true));
  check_all(compare_checks(*tokenizer, tokenizer_golden / "gemma3.text.checks", true,
                           special_tokens_in_text::are_text));
  CHECK(changed_lines(*tokenizer) == 0);
  CHECK(tokenizer->bos() == 2);
  CHECK(tokenizer->eos() == 1);
  // What the references differ about (docs/tokenizers.md).
  const auto encode = [&](std::string_view text) {
    return tokenizer->encode(text, special_tokens_in_text::are_text, false);
  };
  CHECK(encode("</s>") == ids{212});                   // an HTML tag of its vocabulary, found in every text
  CHECK(encode("a\xe2\x96\x81 b") == encode("a  b"));  // U+2581 is a space
  CHECK(encode("a  b") == ids{236746, 138, 236763});   // and two are one piece
  CHECK(encode("\n\n\n") == ids{109});
  CHECK(encode(std::string(31 + 24, ' ')) == ids{167, 160});  // the longest first, from the left
  CHECK(tokenizer->decode(ids{138, 167}) == std::string(2 + 31, ' '));
}
#endif
