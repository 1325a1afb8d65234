#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/added_tokens.hpp>
#include <act/runtime/tokenizer/character_tokenizer.hpp>
#include <act/runtime/tokenizer/load_folder.hpp>
#include <act/runtime/tokenizer/pipeline_tokenizer.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/sentencepiece.hpp>
#include <act/runtime/tokenizer/sentencepiece_model.hpp>
#include <act/runtime/tokenizer/text_normalizer.hpp>
#include <act/runtime/tokenizer/token_decoder.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_class.hpp>
#include <act/runtime/tokenizer/tokenizer_json.hpp>
#include <act/runtime/tokenizer/tokenizer_json_beside.hpp>
#include <act/runtime/tokenizer/tokenizer_settings.hpp>
#include <act/runtime/tokenizer/vocabulary_files.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

/// What the model's own files say of its tokenizer.
struct model_facts {
  std::string model_type, named_class;
  std::vector<token_id> bos, eos;  // config.json's
  std::vector<token_id> ends;      // config.json's and generation_config.json's ends
};

// `key` of `root`: an id or a list of them. What can't be an id (-1 stands for none in older files) ends
// nothing; what isn't a number at all is a mistake.
std::vector<token_id> ids_at(io::json_value root, const char* key, const std::string& file) {
  const auto value = root.find(key);
  if (!value) return {};
  std::vector<token_id> ids;
  const std::vector<io::json_value> entries =
      value->is_array() ? value->items() : std::vector<io::json_value>{*value};
  for (const io::json_value entry : entries) {
    if (!entry.number())
      throw error(error_code::invalid_input, file,
                  "'" + std::string(key) + "' is neither a token id nor a list of them; fetch it again");
    if (const auto id = entry.count(); id && *id <= 0x7fffffff) ids.push_back(static_cast<token_id>(*id));
  }
  return ids;
}

model_facts read_model_facts(const std::string& folder) {
  model_facts facts;
  for (const char* name : {"config.json", "generation_config.json"}) {
    const std::string file = std::filesystem::path(folder) / name;
    if (!std::filesystem::exists(file)) continue;
    const io::json_tree tree = io::read_json_object(file);
    const std::vector<token_id> ends = ids_at(tree.root(), "eos_token_id", file);
    facts.ends.insert(facts.ends.end(), ends.begin(), ends.end());
    if (std::string_view(name) != "config.json") continue;
    facts.eos = ends;
    facts.bos = ids_at(tree.root(), "bos_token_id", file);
    const auto text = [&](const char* key) {
      const auto value = tree.root().find(key);
      return value && value->text() != nullptr ? *value->text() : std::string();
    };
    facts.model_type = text("model_type");
    std::string named = text("tokenizer_class");
    if (named.ends_with("Fast")) named.resize(named.size() - 4);
    facts.named_class = std::move(named);
  }
  return facts;
}

/// Everything that lies beside a tokenizer's files.
struct surroundings {
  tokenizer_settings settings;
  model_facts facts;
  tokenizer_class kind = tokenizer_class::general;
};

// A tokenizer.json has no roles: bos and eos come by name from the settings, else by id from the model.
void find_roles(const surroundings& beside, pipeline_parts& parts, std::vector<std::string>& notices) {
  std::unordered_map<std::string_view, token_id> ids;
  known_vocabulary vocabulary;
  vocabulary.source = parts.source;
  const auto know = [&](std::string_view text, token_id id) {
    ids.insert_or_assign(text, id);
    vocabulary.size = std::max(vocabulary.size, static_cast<std::size_t>(id) + 1);
  };
  for (const auto& [text, id] : parts.tokens)
    know(text, id);
  for (const special_token& token : parts.special)
    know(token.text, token.id);
  vocabulary.find = [&](std::string_view text) {
    const auto found = ids.find(text);
    return found == ids.end() ? std::nullopt : std::optional(found->second);
  };
  std::unordered_set<token_id> known;
  for (const auto& [text, id] : ids)
    known.insert(id);
  added_tokens added = add_tokens(parts.special, beside.settings, vocabulary, notices);
  const auto role = [&](std::optional<token_id> named, const std::string& name, bool without,
                        const std::vector<token_id>& by_model) -> std::optional<token_id> {
    if (named || without) return named;
    if (!by_model.empty() && known.contains(by_model.front())) return by_model.front();
    // A vocabulary with one token of this name uses it for both ends.
    for (const special_token& token : added.special)
      if (name.empty() && token.text == "<|endoftext|>") return token.id;
    return std::nullopt;
  };
  parts.bos = role(added.bos, beside.settings.bos, beside.settings.without_bos, beside.facts.bos);
  parts.eos = role(added.eos, beside.settings.eos, beside.settings.without_eos, beside.facts.eos);
  parts.special = std::move(added.special);
  parts.ends = beside.facts.ends;
}

std::string yes_or_no(bool value) {
  return value ? "true" : "false";
}

// Where LlamaTokenizer and CodeLlamaTokenizer put a space before text, if one of them it is: never beside
// another. The model's own rule doesn't count then.
std::optional<space_before> space_of_class(const surroundings& beside) {
  using place = space_before::place;
  const tokenizer_settings& settings = beside.settings;
  if (beside.kind != tokenizer_class::llama && beside.kind != tokenizer_class::code_llama)
    return std::nullopt;
  if (!settings.add_prefix_space.value_or(true)) return space_before{place::nowhere, false};
  const bool legacy = beside.kind == tokenizer_class::llama && settings.legacy.value_or(true);
  return space_before{legacy ? place::before_every_stretch : place::before_the_text, false};
}

// These classes make steps of their own from their settings; of a tokenizer.json they take the vocabulary,
// the added tokens and what stands around a text.
void take_steps_of_class(const surroundings& beside, pipeline_parts& parts) {
  const std::optional<space_before> space = space_of_class(beside);
  if (!space || parts.pre.has_byte_level()) return;
  constexpr const char* mark = "\xe2\x96\x81";
  using place = space_before::place;
  using prefix = metaspace_step::prefix;
  parts.normalize = {};
  parts.pre = {};
  parts.pre.add_metaspace(mark,
                          space->where == place::nowhere           ? prefix::never
                          : space->where == place::before_the_text ? prefix::first
                                                                   : prefix::always,
                          false);
  parts.decode = {};
  parts.decode.add(replaced_text{.plain = mark, .pattern = {}, .by = " "});
  parts.decode.add(bytes_from_names{});
  parts.decode.add(fused_tokens{});
  if (space->where != place::nowhere)
    parts.decode.add(stripped_character{.character = " ", .start = 1, .stop = 0});
}

// GPT-2's older files beside a tokenizer.json that was made from them.
void compare_words(const std::string& file, const pipeline_parts& parts, std::vector<std::string>& notices) {
  std::unordered_map<std::string_view, token_id> ids;
  for (const auto& [text, id] : parts.tokens)
    ids.emplace(text, id);
  for (const special_token& token : parts.special)
    ids.emplace(token.text, token.id);
  for (const auto& [text, id] : read_vocabulary_json(file)) {
    const auto found = ids.find(text);
    if (found != ids.end() && found->second == id) continue;
    notices.push_back(file + ": '" + io::printable(text) + "' is " + std::to_string(id) + ", " +
                      (found == ids.end() ? "nothing" : std::to_string(found->second)) +
                      " in tokenizer.json beside it, which is read");
    return;
  }
}

std::unique_ptr<tokenizer> load_tokenizer_json(const std::string& file, const surroundings& beside,
                                               const std::optional<std::string>& words,
                                               std::vector<std::string>& notices) {
  const tokenizer_settings& settings = beside.settings;
  pipeline_parts parts = read_tokenizer_json(file);
  const auto passed_over = [&](const char* key, const std::optional<bool>& said, bool counts) {
    if (said && *said != counts)
      notices.push_back(settings.source + ": '" + key + "' is " + yes_or_no(*said) +
                        ", but tokenizer.json says otherwise and is read");
  };
  if (words) compare_words(*words, parts, notices);
  take_steps_of_class(beside, parts);
  if (beside.kind == tokenizer_class::byte_level) {
    const bool wanted = settings.add_prefix_space.value_or(false);
    if (wanted && !parts.pre.prefix_space() && (parts.pre.has_other_steps() || !parts.pre.has_byte_level()))
      throw error(
          error_code::unsupported, settings.source,
          "'add_prefix_space' is set beside a tokenizer.json with other steps than ByteLevel, which act "
          "doesn't support; remove it");
    parts.pre.set_prefix_space(wanted);
  } else if (parts.pre.has_byte_level()) {
    passed_over("add_prefix_space", settings.add_prefix_space, parts.pre.prefix_space());
  }
  find_roles(beside, parts, notices);
  passed_over("add_bos_token", settings.add_bos, !parts.before.empty());
  passed_over("add_eos_token", settings.add_eos, !parts.after.empty());
  return std::make_unique<pipeline_tokenizer>(std::move(parts));
}

// What tokenizer.json says beside the tokenizer.model that is read.
void read_beside(const std::string& file, const tokenizer_json_beside& json, const surroundings& beside,
                 sentencepiece_parts& parts, std::vector<std::string>& notices) {
  tokenizer_settings& settings = parts.settings;
  if (!json.difference.empty()) {
    notices.push_back(file + ": has another vocabulary than tokenizer.model beside it (" + json.difference +
                      "); tokenizer.model is read and this file isn't");
    return;
  }
  for (const std::string& step : json.unknown_steps)
    notices.push_back(file + ": has the " + step +
                      ", which tokenizer.model beside it lacks and which isn't "
                      "applied: tokenizer.model is read");
  if (settings.added.empty()) {
    settings.added = json.added;
    std::sort(settings.added.begin(), settings.added.end(),
              [](const special_token& a, const special_token& b) { return a.id < b.id; });
  }
  if (beside.kind == tokenizer_class::general) parts.space = json.space;
  if (!json.has_template) return;
  const auto around = [&](const std::vector<std::string>& tokens, std::string& role, bool& add,
                          const std::optional<bool>& said, const char* key) {
    if (tokens.size() > 1 || (tokens.size() == 1 && !role.empty() && role != tokens.front()))
      throw error(error_code::unsupported, file + ": 'post_processor'",
                  "puts other tokens around a text than the beginning and end that tokenizer_config.json "
                  "names, which act doesn't support; make them agree");
    add = !tokens.empty();
    if (add) role = tokens.front();
    if (said && *said != add)
      notices.push_back(settings.source + ": '" + key + "' is " + yes_or_no(*said) +
                        ", but tokenizer.json's template says otherwise and is read");
  };
  around(json.before, settings.bos, parts.add_bos, settings.add_bos, "add_bos_token");
  around(json.behind, settings.eos, parts.add_eos, settings.add_eos, "add_eos_token");
}

// `json` is a tokenizer.json of SentencePiece's kind beside the model.
std::unique_ptr<tokenizer> load_sentencepiece(const std::string& model,
                                              const std::optional<std::string>& json,
                                              const surroundings& beside, std::vector<std::string>& notices) {
  sentencepiece_parts parts = read_sentencepiece(model);
  parts.settings = beside.settings;
  parts.add_bos = beside.settings.add_bos.value_or(true);  // Llama's default
  parts.add_eos = beside.settings.add_eos.value_or(false);
  parts.ends = beside.facts.ends;
  parts.keeps_spaces = parts.user_defined_are_added = beside.kind != tokenizer_class::general;
  const sentencepiece_facts facts =
      read_sentencepiece_facts(std::as_bytes(std::span(parts.model)), parts.source);
  parts.space = space_of_class(beside);
  // Elsewhere the model says whether it wants a space, `legacy` where.
  if (!parts.space && facts.dummy_prefix && !beside.settings.legacy.value_or(true))
    parts.space = space_before{space_before::place::before_the_text, false};
  if (json) read_beside(*json, read_tokenizer_json_beside(*json, facts.pieces), beside, parts, notices);
  return make_sentencepiece(std::move(parts), notices);
}

std::unique_ptr<tokenizer> load_vocabulary_files(const std::string& folder, surroundings beside,
                                                 std::vector<std::string>& notices) {
  pipeline_parts parts = read_vocabulary_files(folder, beside.settings);
  find_roles(beside, parts, notices);
  if (beside.settings.add_bos.value_or(false) && parts.bos) parts.before.push_back(*parts.bos);
  if (beside.settings.add_eos.value_or(false) && parts.eos) parts.after.push_back(*parts.eos);
  return std::make_unique<pipeline_tokenizer>(std::move(parts));
}

}  // namespace

std::unique_ptr<tokenizer> load_tokenizer(const std::string& folder, std::vector<std::string>& notices) {
  const auto in_folder = [&](const char* name) { return std::filesystem::path(folder) / name; };
  const auto has = [&](const char* name) { return std::filesystem::exists(in_folder(name)); };
  const bool json = has("tokenizer.json"), pieces = has("tokenizer.model");
  const bool words = has("vocab.json") && has("merges.txt");
  if (!json && !words && !pieces) {
    if (has("char_vocab.json")) {
      const std::string file = in_folder("char_vocab.json");
      return std::make_unique<character_tokenizer>(read_vocabulary_json(file), file);
    }
    throw error(error_code::io, folder,
                "has no tokenizer.json, vocab.json with merges.txt, tokenizer.model or char_vocab.json; copy "
                "the model's tokenizer files there");
  }
  surroundings beside;
  beside.settings = read_tokenizer_settings(folder, notices);
  beside.facts = read_model_facts(folder);
  const std::string& named = beside.settings.kind;
  beside.kind = class_of(named.empty() ? beside.facts.named_class : named, beside.facts.model_type);
  const std::string model = in_folder("tokenizer.model");
  if (pieces && json) {
    const std::string file = in_folder("tokenizer.json");
    if (is_sentencepiece_json(file)) return load_sentencepiece(model, file, beside, notices);
    notices.push_back(model + ": isn't read: tokenizer.json beside it is another kind of tokenizer");
  } else if (pieces && !words) {
    return load_sentencepiece(model, std::nullopt, beside, notices);
  }
  if (json)
    return load_tokenizer_json(in_folder("tokenizer.json"), beside,
                               words ? std::optional<std::string>(in_folder("vocab.json")) : std::nullopt,
                               notices);
  return load_vocabulary_files(folder, std::move(beside), notices);
}

std::unique_ptr<tokenizer> load_tokenizer(const std::string& folder) {
  std::vector<std::string> notices;
  return load_tokenizer(folder, notices);
}

}  // namespace act::runtime
