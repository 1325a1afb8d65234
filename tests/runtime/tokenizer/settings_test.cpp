// The files beside a tokenizer (tokenizer_config.json, special_tokens_map.json, added_tokens.json,
// config.json, generation_config.json): the ids of `transformers`, and what contradictions get.
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/tokenizer/load.hpp>
#include <act/runtime/tokenizer/load_folder.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <span>
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
using ids = std::vector<act::runtime::token_id>;

namespace {

std::vector<act::runtime::token_id> ends_of(const act::runtime::tokenizer& tokenizer) {
  return {tokenizer.ends().begin(), tokenizer.ends().end()};
}

/// The folder of one case of settings.json, which make_settings.py explains.
void write_case(const act_test::temporary_folder& folder, const nlohmann::json& made) {
  for (const auto& [name, content] : made["files"].items())
    (void)folder.write(name + ".json", content.dump());
  if (made["step"].is_null() && !made["model"].is_null()) {
    std::filesystem::copy_file(tokenizer_golden / made["model"].get<std::string>(),
                               folder / "tokenizer.model");
  } else if (!made["step"].is_null()) {
    nlohmann::json small = nlohmann::json::parse(act_test::read_whole_file(tokenizer_golden / "small.json"));
    small["pre_tokenizer"] = made["step"];
    small["post_processor"] = nullptr;
    (void)folder.write("tokenizer.json", small.dump());
  }
  if (made["beside"])
    std::filesystem::copy_file(tokenizer_golden / "small.spm.json", folder / "tokenizer.json");
}

/// Every case of settings.json that `wanted` says yes to has transformers' ids and roles.
template <class Wanted>
void compare_settings(Wanted&& wanted) {
  const nlohmann::json golden =
      nlohmann::json::parse(act_test::read_whole_file(tokenizer_golden / "settings.json"));
  for (const nlohmann::json& made : golden["cases"]) {
    if (!wanted(made)) continue;
    CAPTURE(made["name"].get<std::string>());
    const act_test::temporary_folder folder;
    write_case(folder, made);
    const std::unique_ptr<act::runtime::tokenizer> tokenizer = act::runtime::load_tokenizer(folder.path());
    CHECK(tokenizer->bos() == made["bos"].get<act::runtime::token_id>());
    CHECK(tokenizer->eos() == made["eos"].get<act::runtime::token_id>());
    for (std::size_t i = 0; i < made["texts"].size(); ++i) {
      const auto text = made["texts"][i].get<std::string>();
      CAPTURE(text);
      CHECK(tokenizer->encode(text, special_tokens_in_text::are_tokens, false) == made["ids"][i].get<ids>());
      // A space before every stretch goes again with all of them, in `transformers` with the first alone.
      if (made["model"] == "small.plain.model")
        CHECK(tokenizer->decode(made["ids"][i].get<ids>()) == made["decoded"][i].get<std::string>());
    }
  }
}

#if defined(ACT_HAS_SENTENCEPIECE)
struct beside {
  std::string name, content;
};

/// A folder with small.model and these files beside it, loaded.
struct small_folder {
  small_folder(std::initializer_list<beside> files) : small_folder(std::vector<beside>(files)) {}
  explicit small_folder(const std::vector<beside>& files) {
    std::filesystem::copy_file(tokenizer_golden / "small.model", folder / "tokenizer.model");
    for (const beside& file : files)
      (void)folder.write(file.name, file.content);
  }
  ids operator()(std::string_view text, bool add_special = false) {
    if (!made) made = act::runtime::load_tokenizer(folder.path(), notices);
    return made->encode(text, special_tokens_in_text::are_tokens, add_special);
  }
  /// What loading it throws, which is one line about `file`.
  std::string refused(const char* file) {
    const std::string message = message_of([&] { (void)(*this)("a"); });
    CHECK(act_test::is_one_line_about(message, (folder / file).string()));
    return message;
  }

  act_test::temporary_folder folder;
  std::vector<std::string> notices;
  std::unique_ptr<act::runtime::tokenizer> made;
};

const std::string llama = R"({"tokenizer_class":"LlamaTokenizer","bos_token":"<s>","eos_token":"</s>")";
std::string added(const char* entries) {
  return llama + R"(,"added_tokens_decoder":{)" + entries + "}}";
}
#endif

}  // namespace

TEST_CASE("add_prefix_space beside tokenizer.json counts for the classes of transformers that heed it") {
  compare_settings([](const nlohmann::json& made) { return !made["step"].is_null(); });
}

TEST_CASE(
    "tokenizer.json of SentencePiece's kind alone: LlamaTokenizer makes its own steps, other classes don't") {
  compare_settings(
      [](const nlohmann::json& made) { return made["step"].is_null() && made["model"].is_null(); });
}

TEST_CASE("vocab.json beside a tokenizer.json that says otherwise is told, and not read") {
  const act_test::temporary_folder folder;
  std::filesystem::copy_file(tokenizer_golden / "small.json", folder / "tokenizer.json");
  (void)folder.write("merges.txt", "");
  const auto told = [&](const char* words) {
    (void)folder.write("vocab.json", words);
    std::vector<std::string> notices;
    (void)act::runtime::load_tokenizer(folder.path(), notices);
    return notices;
  };
  CHECK(told(R"({"<|endoftext|>":0,"the":475})").empty());
  const std::vector<std::string> one = told(R"({"<|endoftext|>":0,"no such":1,"nor this":2})");
  REQUIRE(one.size() == 1);
  CHECK(act_test::is_one_line_about(one[0], (folder / "vocab.json").string()));
  CHECK(contains(one[0], "'no such' is 1, nothing in tokenizer.json"));
}

#if defined(ACT_HAS_SENTENCEPIECE)
TEST_CASE("tokenizer.model: legacy, add_prefix_space, added tokens and roles as transformers has them") {
  compare_settings([](const nlohmann::json& made) { return made["step"].is_null(); });
}
TEST_CASE("tokenizer_config.json without `legacy` is one from before there was any other way") {
  small_folder absent{{"tokenizer_config.json", llama + "}"}},
      legacy{{"tokenizer_config.json", llama + R"(,"legacy":true})"}},
      later{{"tokenizer_config.json", llama + R"(,"legacy":false})"}};
  CHECK(absent("a</s>the") == legacy("a</s>the"));
  CHECK(absent("a</s>the") != later("a</s>the"));
  CHECK(absent.notices.empty());
}

TEST_CASE("tokenizer.model: texts begin with <s> unless a file says otherwise") {
  const auto first = [](const char* settings) {
    small_folder folder{{"tokenizer_config.json", settings}};
    const ids made = folder("a", true);
    return std::pair(made.front() == 1, made.back() == 2);
  };
  CHECK(first("{}") == std::pair(true, false));
  CHECK(first(R"({"add_bos_token":false})") == std::pair(false, false));
  CHECK(first(R"({"add_eos_token":true})") == std::pair(true, true));
  CHECK(first(R"({"bos_token":null})") == std::pair(false, false));  // the model has none
}

TEST_CASE("added tokens and roles: objects or texts, and what contradicts the vocabulary is refused") {
  small_folder good{{"tokenizer_config.json", added(R"("700":{"content":"<x>","special":true})")}};
  CHECK(good("<x>") == ids{700});
  CHECK(good.made->vocabulary_size() == 701);
  CHECK(good.made->find("<x>") == 700);
  CHECK(good.made->decode(ids{700}) == "<x>");
  CHECK(good.made->decode(ids{700}, true).empty());
  // A special token stays text in a text that isn't asked about; one added for text never does.
  CHECK(good.made->encode("<x>", special_tokens_in_text::are_text, false) != ids{700});
  small_folder plain{{"tokenizer_config.json", added(R"("700":{"content":"<x>"})")}};
  (void)plain("");
  CHECK(plain.made->encode("<x>", special_tokens_in_text::are_text, false) == ids{700});
  // A placeholder of the vocabulary gets the name that the file gives it.
  small_folder renamed{{"tokenizer_config.json", added(R"("5":{"content":"<x>","special":true})")}};
  CHECK(renamed("<x>") == ids{5});
  CHECK(renamed.made->decode(ids{5}) == "<x>");
  CHECK(renamed.made->vocabulary_size() == 700);

  const auto refused = [](const std::string& content) {
    return small_folder{{"tokenizer_config.json", content}}.refused("tokenizer_config.json");
  };
  CHECK(contains(refused(added(R"("701":{"content":"<x>"})")), "'<x>' has the id 701"));
  CHECK(contains(refused(added(R"("700":{"content":"</s>"})")), "'</s>' has the id 700, but 2 in"));
  CHECK(contains(refused(added(R"("700":{"content":"<x>"},"0700":{"content":"<y>"})")), "the id 700"));
  CHECK(contains(refused(added(R"("700":{"content":"<x>"},"701":{"content":"<x>"})")), "twice"));
  CHECK(contains(refused(added(R"("700":{"content":""})")), "is empty"));
  CHECK(contains(refused(added(R"("x":{"content":"<x>"})")), "the id of '<x>' isn't a whole number"));
  CHECK(contains(refused(added(R"("700x":{"content":"<x>"})")), "whole number"));
  CHECK(contains(refused(added(R"("99999999999":{"content":"<x>"})")), "whole number"));
  CHECK(contains(refused(added(R"("700":"<x>")")), "isn't a token"));
  CHECK(contains(refused(added(R"("700":{"content":"<x>","lstrip":1})")), "'lstrip'"));
  CHECK(contains(refused(R"({"added_tokens_decoder":[]})"), "isn't an object"));
  CHECK(contains(refused(R"({"eos_token":"<x>"})"), "the token '<x>'"));
  CHECK(contains(refused(R"({"eos_token":7})"), "'eos_token' isn't a token"));
  CHECK(contains(refused(R"({"additional_special_tokens":7})"), "isn't a list"));
  CHECK(contains(refused(R"({"legacy":"no"})"), "'legacy' isn't true or false"));
  CHECK(contains(refused(R"({"split_special_tokens":true})"), "'split_special_tokens'"));
  CHECK(contains(refused(R"({"sp_model_kwargs":{"enable_sampling":true}})"), "'sp_model_kwargs'"));
  CHECK(contains(small_folder{{"added_tokens.json", R"({"<x>":-1})"}}.refused("added_tokens.json"),
                 "whole number"));
  CHECK(contains(small_folder{{"tokenizer_config.json", added(R"("700":{"content":"<x>"})")},
                              {"added_tokens.json", R"({"<x>":701})"}}
                     .refused("added_tokens.json"),
                 "the id of '<x>' is 701, in tokenizer_config.json 700"));
}

TEST_CASE("what a settings file says and another overrules is told, never passed over in silence") {
  const auto told = [](const std::vector<beside>& files, const std::string& what) {
    small_folder folder(files);
    (void)folder("a");
    REQUIRE(folder.notices.size() == 1);
    CHECK_FALSE(contains(folder.notices[0], "\n"));
    CHECK(contains(folder.notices[0], what));
  };
  told({{"tokenizer_config.json", added(R"("700":{"content":"<x>"})")},
        {"added_tokens.json", R"({"<y>":701})"}},
       "'<y>' isn't in 'added_tokens_decoder'");
  told({{"tokenizer_config.json", added("")}, {"special_tokens_map.json", R"({"eos_token":"<unk>"})"}},
       "'eos_token' is '<unk>', '</s>' in tokenizer_config.json, which is read");
  told({{"tokenizer_config.json", llama + "}"}, {"special_tokens_map.json", R"({"eos_token":"<unk>"})"}},
       "'eos_token' is '<unk>', '</s>' in tokenizer_config.json; the former is read");
  told({{"tokenizer_config.json", llama + R"(,"pad_token":"<pad>"})"}}, "special token '<pad>' isn't in");
}

TEST_CASE(
    "tokenizer.json beside tokenizer.model: the latter is read, the same ids come, contradictions are told") {
  const std::string json = act_test::read_whole_file(tokenizer_golden / "small.spm.json");
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string text = json;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  {
    small_folder folder{{"tokenizer.json", json}};
    check_all(
        act_test::compare_checks((folder(""), *folder.made), tokenizer_golden / "small.spm.checks", true));
    CHECK(folder.notices.empty());
  }
  {
    small_folder folder{{"tokenizer.json", changed(R"("</s>":2)", R"("</s>":3)")}};
    check_all(
        act_test::compare_checks((folder(""), *folder.made), tokenizer_golden / "small.spm.checks", true));
    REQUIRE(folder.notices.size() == 1);
    CHECK(act_test::is_one_line_about(folder.notices[0], (folder.folder / "tokenizer.json").string()));
    CHECK(contains(folder.notices[0], "another vocabulary than tokenizer.model"));
    CHECK(contains(folder.notices[0], "'</s>' is 3 there, where tokenizer.model has '<0x00>'"));
  }
  {  // a vocabulary that is only a part
    small_folder folder{{"tokenizer.json", R"({"model":{"type":"BPE","vocab":{"<s>":1},"merges":[]}})"}};
    CHECK(folder("the", true).front() == 1);
    REQUIRE(folder.notices.size() == 1);
    CHECK(contains(folder.notices[0], "it has 1 of the 700 pieces"));
  }
  {  // what only tokenizer.json says: added tokens, and what stands around a text
    small_folder folder(
        {{"tokenizer.json",
          changed(R"("added_tokens":[)", R"("added_tokens":[{"id":700,"content":"<x>","special":true},)")}});
    CHECK(folder("<x>the").front() == 700);
    CHECK(folder.notices.empty());
  }
  {
    small_folder folder{{"tokenizer.json", changed(R"({"SpecialToken":{"id":"<s>","type_id":0}},)", "")},
                        {"tokenizer_config.json", R"({"add_bos_token":true})"}};
    CHECK(folder("the", true) == folder("the", false));
    REQUIRE(folder.notices.size() == 1);
    CHECK(
        contains(folder.notices[0], "'add_bos_token' is true, but tokenizer.json's template says otherwise"));
  }
  {
    small_folder folder{{"tokenizer.json", changed(R"("type":"Replace")", R"("type":"Lowercase")")}};
    (void)folder("the");
    REQUIRE(folder.notices.size() == 1);
    CHECK(contains(folder.notices[0], "normalizer 'Lowercase'"));
  }
  {  // the other kind of tokenizer
    small_folder folder{{"tokenizer.json", act_test::read_whole_file(tokenizer_golden / "small.json")}};
    CHECK(folder("the", true).back() == 2);  // its template closes the text
    REQUIRE(folder.notices.size() == 1);
    CHECK(contains(folder.notices[0], "tokenizer.model: isn't read"));
  }
  CHECK(contains(small_folder{{"tokenizer.json", changed(R"({"SpecialToken":{"id":"<s>","type_id":0}},)",
                                                         R"({"SpecialToken":{"id":"</s>","type_id":0}},)")},
                              {"tokenizer_config.json", llama + "}"}}
                     .refused("tokenizer.json"),
                 "other tokens around a text"));
  CHECK(contains(small_folder{{"tokenizer.json", "{}"}}.refused("tokenizer.json"), "'model'"));
  CHECK(contains(small_folder{{"tokenizer.json", json.substr(0, 3000)}}.refused("tokenizer.json"), "JSON"));
}

TEST_CASE("decoding is the inverse of encoding, wherever a space is put") {
  const std::string codes = R"("700":{"content":"<x>"},"701":{"content":"<y>","special":true})";
  for (const char* more : {R"(,"legacy":false)", R"(,"legacy":true)", R"(,"add_prefix_space":false)"}) {
    CAPTURE(more);
    small_folder folder(
        {{"tokenizer_config.json", added(codes.c_str())}, {"config.json", R"({"model_type":"llama"})"}});
    (void)folder.folder.write("tokenizer_config.json",
                              llama + more + R"(,"added_tokens_decoder":{)" + codes + "}}");
    (void)folder("");
    std::size_t lines = 0;
    for (const std::string& line : act_test::golden_lines()) {
      // A space that is there already isn't told from one that was put, and U+2581 is written as a space.
      if (line.starts_with(' ') || line.find("\xe2\x96\x81") != std::string::npos) continue;
      if (folder.made->decode(folder.made->encode(line, special_tokens_in_text::are_text, false)) != line) {
        CAPTURE(line);
        CHECK(false);
      }
      ++lines;
    }
    CHECK(lines > 2500);
    for (const char* text : {"the<x>word", "<x>the", "<y>the<x>", "a</s>b"})
      CHECK(folder.made->decode(folder(text)) == text);
  }
}
#endif

TEST_CASE("a null beginning or end in tokenizer_config.json is none, whatever the model's file says") {
  const act_test::temporary_folder folder;
  (void)folder.write("vocab.json", R"({"a":0,"b":1})");
  (void)folder.write("merges.txt", "");
  (void)folder.write("config.json", R"({"bos_token_id":0,"eos_token_id":1})");
  (void)folder.write("tokenizer_config.json", "{}");
  CHECK(act::runtime::load_tokenizer(folder.path())->bos() == 0);
  CHECK(act::runtime::load_tokenizer(folder.path())->eos() == 1);
  (void)folder.write("tokenizer_config.json", R"({"bos_token":null,"eos_token":null})");
  const auto without = act::runtime::load_tokenizer(folder.path());
  CHECK_FALSE(without->bos().has_value());
  CHECK_FALSE(without->eos().has_value());
  CHECK(ends_of(*without) == ids{1});  // the model still ends there
}

TEST_CASE("eos_token_id of config.json and generation_config.json, one or a list: each ends a text") {
  const act_test::temporary_folder folder;
  (void)folder.write("vocab.json", R"({"a":0,"b":1,"<x>":2,"<y>":3})");
  (void)folder.write("merges.txt", "");
  (void)folder.write("tokenizer_config.json", R"({"eos_token":"<x>"})");
  const auto load = [&] { return act::runtime::load_tokenizer(folder.path()); };
  CHECK(ends_of(*load()) == ids{2});
  (void)folder.write("config.json", R"({"eos_token_id":1})");
  CHECK(ends_of(*load()) == ids{1, 2});
  (void)folder.write("generation_config.json", R"({"eos_token_id":[3,2]})");
  CHECK(ends_of(*load()) == ids{1, 2, 3});
  (void)folder.write("config.json", R"({"eos_token_id":-1})");  // older files' word for none
  CHECK(ends_of(*load()) == ids{2, 3});
  (void)folder.write("config.json", R"({"eos_token_id":null})");
  CHECK(ends_of(*load()) == ids{2, 3});
  CHECK(load()->eos() == 2);
  for (const char* bad : {R"({"eos_token_id":"<x>"})", R"({"eos_token_id":[1,"<x>"]})"}) {
    (void)folder.write("generation_config.json", bad);
    const std::string message = message_of([&] { (void)load(); });
    CHECK(act_test::is_one_line_about(message, "generation_config.json"));
    CHECK(contains(message, "'eos_token_id'"));
  }
}

TEST_CASE("GGUF: the end of a turn and of a message end a text too") {
  const auto build = [](const char* model) {
    act_test::gguf_builder builder;
    builder.text("tokenizer.ggml.model", model).text("tokenizer.ggml.pre", "gpt-2");
    builder.texts("tokenizer.ggml.tokens", {"<unk>", "a", "b", "</s>", "<eot>", "<eom>"});
    builder.numbers("tokenizer.ggml.token_type", std::vector<std::int32_t>{2, 1, 1, 3, 3, 3});
    builder.texts("tokenizer.ggml.merges", {});
    builder.reals("tokenizer.ggml.scores", std::vector<float>(6));
    builder.number("tokenizer.ggml.eos_token_id", 3)
        .number("tokenizer.ggml.eot_token_id", 4)
        .number("tokenizer.ggml.eom_token_id", 5);
    return builder.build();
  };
  const act_test::temporary_folder folder;
  CHECK(ends_of(*act::runtime::load_tokenizer(
            act::runtime::gguf_file(folder.write("bpe.gguf", build("gpt2"))))) == ids{3, 4, 5});
#if defined(ACT_HAS_SENTENCEPIECE)
  CHECK(ends_of(*act::runtime::load_tokenizer(
            act::runtime::gguf_file(folder.write("spm.gguf", build("llama"))))) == ids{3, 4, 5});
#endif
}
