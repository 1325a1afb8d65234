#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/bpe_model.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_json_fields.hpp>
#include <act/runtime/tokenizer/tokenizer_json_model.hpp>
#include <act/runtime/tokenizer/unigram_model.hpp>
#include <act/runtime/tokenizer/vocabulary.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// "a b" or ["a", "b"], the older and the newer form.
std::vector<std::pair<std::string, std::string>> read_merges(io::json_value model,
                                                             const tokenizer_json_fields& fields) {
  std::vector<std::pair<std::string, std::string>> merges;
  const io::json_value given = fields.list(model, "merges", "model");
  merges.reserve(given.size());
  for (const io::json_value merge : given.items()) {
    if (merge.is_array() && merge.size() == 2 && merge[0].text() != nullptr && merge[1].text() != nullptr) {
      merges.emplace_back(*merge[0].text(), *merge[1].text());
      continue;
    }
    const std::string pair = merge.text() != nullptr ? *merge.text() : std::string();
    const std::size_t space = pair.find(' ');
    if (space == std::string::npos || pair.find(' ', space + 1) != std::string::npos)
      fields.fail("merges", "entry " + std::to_string(merges.size()) + " isn't two tokens");
    merges.emplace_back(pair.substr(0, space), pair.substr(space + 1));
  }
  return merges;
}

json_model read_bpe(io::json_value model, const tokenizer_json_fields& fields) {
  if (const auto dropout = model.find("dropout"); dropout && dropout->number() != 0.0)
    fields.refuse("dropout", "makes ids random, which act doesn't support; set it to null");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (const auto affix = model.find(key); affix && !affix->is_text(""))
      fields.refuse(key, "is set, which act doesn't support");
  json_model made;
  bpe_settings settings;
  settings.fuse_unknown = fields.flag(model, "fuse_unk", false, "model");
  settings.byte_fallback = fields.flag(model, "byte_fallback", false, "model");
  settings.whole_pieces = fields.flag(model, "ignore_merges", false, "model");

  const io::json_value vocabulary = fields.member(model, "vocab", "model");
  if (!vocabulary.is_object()) fields.fail("vocab", "isn't an object");
  made.tokens.reserve(vocabulary.size());
  for (const auto& [token, id] : vocabulary.members())
    made.tokens.emplace_back(token, fields.id_of(id, "vocab"));
  if (const auto unknown = model.find("unk_token")) {
    const auto found = unknown->text() != nullptr ? vocabulary.member(*unknown->text()) : std::nullopt;
    if (!found) fields.fail("unk_token", "isn't in the vocabulary");
    settings.unknown = fields.id_of(*found, "vocab");
  }
  settings.merges = read_merges(model, fields);
  made.settings = std::move(settings);
  return made;
}

json_model read_unigram(io::json_value model, const tokenizer_json_fields& fields) {
  json_model made;
  unigram_settings settings;
  settings.byte_fallback = fields.flag(model, "byte_fallback", false, "model");
  for (const io::json_value entry : fields.list(model, "vocab", "model").items()) {
    const bool pair = entry.is_array() && entry.size() == 2 && entry[0].text() != nullptr;
    const std::optional<double> score = pair ? entry[1].number() : std::nullopt;
    if (!score)
      fields.fail("vocab", "entry " + std::to_string(made.tokens.size()) + " isn't a token and its score");
    made.tokens.emplace_back(*entry[0].text(), static_cast<token_id>(made.tokens.size()));
    settings.scores.push_back(*score);
  }
  if (const auto unknown = model.find("unk_id")) {
    settings.unknown = fields.id_of(*unknown, "unk_id");
    if (static_cast<std::size_t>(*settings.unknown) >= made.tokens.size())
      fields.fail("unk_id", "isn't in the vocabulary");
  }
  made.settings = std::move(settings);
  return made;
}

}  // namespace

json_model read_model(io::json_value given, const tokenizer_json_fields& fields) {
  if (!given.is_object()) fields.fail("model", "isn't an object");
  const auto type = given.find("type");
  if (!type) {  // older files: the only kind with merges
    if (!given.find("merges")) fields.fail("model", "has no 'type'");
    return read_bpe(given, fields);
  }
  if (type->is_text("BPE")) return read_bpe(given, fields);
  if (type->is_text("Unigram")) return read_unigram(given, fields);
  fields.refuse("model", (type->text() != nullptr ? "is '" + io::printable(*type->text()) : "has a 'type") +
                             std::string("', which act doesn't have; it has BPE and Unigram"));
}

}  // namespace act::runtime
