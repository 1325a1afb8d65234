#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/tokenizer/bpe_model.hpp>
#include <act/runtime/tokenizer/gguf_pre_tokenizer.hpp>
#include <act/runtime/tokenizer/load.hpp>
#include <act/runtime/tokenizer/pipeline_tokenizer.hpp>
#include <act/runtime/tokenizer/sentencepiece.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/token_decoder.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

std::optional<token_id> gguf_token(const gguf_file& file, std::string_view key, std::size_t vocabulary) {
  const auto id = file.find<std::int64_t>(key);
  if (!id) return std::nullopt;
  if (*id < 0 || static_cast<std::uint64_t>(*id) >= vocabulary)
    throw error(error_code::invalid_input, file.path(),
                "metadata '" + std::string(key) + "' is " + std::to_string(*id) +
                    ", outside the vocabulary of " + std::to_string(vocabulary) +
                    "; convert the model again");
  return static_cast<token_id>(*id);
}

std::unique_ptr<tokenizer> load_gguf_bpe(const gguf_file& file) {
  // llama.cpp's numbers of token kinds.
  constexpr std::int32_t control = 3, user_defined = 4;
  const std::string& path = file.path();
  pipeline_parts parts;
  parts.source = path;
  // A file without a name is older than the names: llama.cpp takes its default then.
  gguf_pre_tokenizer pre =
      find_gguf_pre_tokenizer(file.find<std::string_view>("tokenizer.ggml.pre").value_or("default"), path);
  parts.pre = std::move(pre.cuts);
  parts.decode = token_decoder::byte_level();
  parts.special_decoded = false;  // their text is no byte alphabet's

  const auto tokens = file.get<std::vector<std::string_view>>("tokenizer.ggml.tokens");
  const auto kinds = file.find<std::vector<std::int32_t>>("tokenizer.ggml.token_type");
  if (kinds && kinds->size() != tokens.size())
    throw error(error_code::invalid_input, path,
                "metadata 'tokenizer.ggml.token_type' has " + std::to_string(kinds->size()) +
                    " entries for " + std::to_string(tokens.size()) + " tokens; convert the model again");
  parts.tokens.reserve(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto id = static_cast<token_id>(std::min<std::size_t>(i, 0x7fffffff));
    parts.tokens.emplace_back(tokens[i], id);
    const std::int32_t kind = kinds ? (*kinds)[i] : 1;
    if (kind == control || kind == user_defined) {
      special_token special;
      special.text = tokens[i];
      special.id = id;
      special.control = kind == control;
      parts.special.push_back(special);
    }
  }

  const auto merges = file.get<std::vector<std::string_view>>("tokenizer.ggml.merges");
  bpe_settings settings;
  settings.whole_pieces = pre.whole_pieces;
  settings.merges.reserve(merges.size());
  for (std::size_t i = 0; i < merges.size(); ++i) {
    // The separator is the first space behind the first character: a token may be a lone space in other
    // alphabets.
    const std::size_t space = merges[i].find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merges[i].size())
      throw error(error_code::invalid_input, path,
                  "merge " + std::to_string(i) + " of 'tokenizer.ggml.merges' is '" +
                      io::printable(merges[i]) +
                      "', not two tokens with a space between; convert the model again");
    settings.merges.emplace_back(merges[i].substr(0, space), merges[i].substr(space + 1));
  }
  parts.model = std::move(settings);

  parts.bos = gguf_token(file, "tokenizer.ggml.bos_token_id", tokens.size());
  parts.eos = gguf_token(file, "tokenizer.ggml.eos_token_id", tokens.size());
  for (const char* key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"})
    if (const auto id = gguf_token(file, key, tokens.size())) parts.ends.push_back(*id);
  const auto around = [&](const char* flag, bool fallback, const std::optional<token_id>& id,
                          std::vector<token_id>& list) {
    if (!file.find<bool>(flag).value_or(fallback)) return;
    if (!id)
      throw error(error_code::invalid_input, path,
                  "metadata '" + std::string(flag) +
                      "' asks for a token whose id isn't there; convert the model again");
    list.push_back(*id);
  };
  around("tokenizer.ggml.add_bos_token", pre.add_bos, parts.bos, parts.before);
  around("tokenizer.ggml.add_eos_token", false, parts.eos, parts.after);
  return std::make_unique<pipeline_tokenizer>(std::move(parts));
}

}  // namespace

std::unique_ptr<tokenizer> load_tokenizer(const gguf_file& file) {
  const auto model = file.get<std::string_view>("tokenizer.ggml.model");
  if (model == "gpt2") return load_gguf_bpe(file);
  if (model == "llama") {
    std::vector<std::string> notices;  // come of files beside a tokenizer, of which there are none
    return make_sentencepiece(read_sentencepiece(file), notices);
  }
  throw error(error_code::unsupported, file.path(),
              "metadata 'tokenizer.ggml.model' is '" + io::printable(model) +
                  "', a tokenizer act doesn't have; it has gpt2 and llama");
}

}  // namespace act::runtime
