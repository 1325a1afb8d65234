#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/runtime/tokenizer/byte_level_bpe.hpp>
#include <act/runtime/tokenizer/character_tokenizer.hpp>
#include <act/runtime/tokenizer/load_folder.hpp>
#include <act/runtime/tokenizer/sentencepiece.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_json.hpp>
#include <act/runtime/tokenizer/tokenizer_settings.hpp>
#include <act/runtime/tokenizer/vocabulary_files.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace act::runtime {
namespace {

// The id that `folder`/config.json gives the role ("bos_token_id"), if it is in `parts`. A list means its
// first.
std::optional<token_id> config_token(const std::string& folder, const char* key) {
  const std::filesystem::path path = std::filesystem::path(folder) / "config.json";
  if (!std::filesystem::exists(path)) return std::nullopt;
  const io::json_tree tree = io::read_json(path);
  const auto value = tree.root().find(key);
  if (!value) return std::nullopt;
  const auto id = value->is_array() && value->size() != 0 ? (*value)[0].count() : value->count();
  if (!id || *id > 0x7fffffff) return std::nullopt;
  return static_cast<token_id>(*id);
}

// Sets bos and eos of a tokenizer.json, which has no such roles: by name from the settings, else by id from
// the model.
void find_roles(const std::string& folder, byte_level_bpe_parts& parts) {
  const tokenizer_settings settings = read_tokenizer_settings(folder);
  const auto role = [&](const std::string& name, const char* key) -> std::optional<token_id> {
    for (const special_token& token : parts.special)
      if (!name.empty() && token.text == name) return token.id;
    const std::optional<token_id> id = config_token(folder, key);
    for (const auto& [text, known] : parts.tokens)
      if (id && known == *id) return id;
    for (const special_token& token : parts.special)
      if (id && token.id == *id) return id;
    // A vocabulary with one token of this name uses it for both ends.
    for (const special_token& token : parts.special)
      if (name.empty() && token.text == "<|endoftext|>") return token.id;
    return std::nullopt;
  };
  parts.bos = role(settings.bos, "bos_token_id");
  parts.eos = role(settings.eos, "eos_token_id");
}

}  // namespace

std::unique_ptr<tokenizer> load_tokenizer(const std::string& folder) {
  const auto in_folder = [&](const char* name) { return std::filesystem::path(folder) / name; };
  const auto has = [&](const char* name) { return std::filesystem::exists(in_folder(name)); };
  if (has("tokenizer.json")) {
    byte_level_bpe_parts parts = read_tokenizer_json(in_folder("tokenizer.json"));
    find_roles(folder, parts);
    return std::make_unique<byte_level_bpe>(std::move(parts));
  }
  if (has("vocab.json") && has("merges.txt"))
    return std::make_unique<byte_level_bpe>(read_vocabulary_files(folder));
  if (has("tokenizer.model")) {
    sentencepiece_parts parts = read_sentencepiece(in_folder("tokenizer.model"));
    const tokenizer_settings settings = read_tokenizer_settings(folder);
    parts.add_bos = settings.add_bos.value_or(true);  // Llama's default
    parts.add_eos = settings.add_eos.value_or(false);
    return make_sentencepiece(std::move(parts));
  }
  if (has("char_vocab.json")) {
    const std::string file = in_folder("char_vocab.json");
    return std::make_unique<character_tokenizer>(read_vocabulary_json(file), file);
  }
  throw error(error_code::io, folder,
              "has no tokenizer.json, vocab.json with merges.txt, tokenizer.model or char_vocab.json; copy "
              "the model's "
              "tokenizer files there");
}

}  // namespace act::runtime
