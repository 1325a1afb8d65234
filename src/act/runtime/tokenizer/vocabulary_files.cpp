#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/io/mapped_file.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/bpe_model.hpp>
#include <act/runtime/tokenizer/pipeline_tokenizer.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/token_decoder.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_settings.hpp>
#include <act/runtime/tokenizer/vocabulary_files.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// One merge a line, two tokens with a space between; a first line "#version: ..." and empty lines don't
// count.
std::vector<std::pair<std::string, std::string>> read_merges_text(const std::string& path) {
  const io::mapped_file file(path);
  std::vector<std::pair<std::string, std::string>> merges;
  std::string_view rest = file.text();
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || space == 0 || space + 1 == line.size() ||
        line.find(' ', space + 1) != std::string_view::npos)
      throw error(
          error_code::invalid_input, path + ":" + std::to_string(number),
          "'" + io::printable(line) + "' isn't two tokens with a space between; fetch the file again");
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
}

}  // namespace

std::vector<std::pair<std::string, token_id>> read_vocabulary_json(const std::string& path) {
  const io::json_tree tree = io::read_json_object(path);
  std::vector<std::pair<std::string, token_id>> tokens;
  tokens.reserve(tree.root().size());
  for (const auto& [token, value] : tree.root().members()) {
    const std::optional<std::uint64_t> id = value.count();
    if (!id || *id > std::numeric_limits<token_id>::max())
      throw error(error_code::invalid_input, path + ": token '" + io::printable(token) + "'",
                  "has an id that isn't a whole number; fetch the file again");
    tokens.emplace_back(token, static_cast<token_id>(*id));
  }
  return tokens;
}

pipeline_parts read_vocabulary_files(const std::string& folder, tokenizer_settings& settings) {
  pipeline_parts parts;
  parts.source = std::filesystem::path(folder) / "vocab.json";
  parts.tokens = read_vocabulary_json(parts.source);
  bpe_settings model;
  model.merges = read_merges_text(std::filesystem::path(folder) / "merges.txt");
  parts.model = std::move(model);
  parts.pre = pre_tokenizer::gpt2();
  parts.pre.set_prefix_space(settings.add_prefix_space.value_or(false));
  parts.decode = token_decoder::byte_level();
  if (settings.found) return parts;

  const auto has = [&](std::string_view token) {
    return std::any_of(parts.tokens.begin(), parts.tokens.end(),
                       [&](const auto& known) { return known.first == token; });
  };
  const auto with_role = [&](const char* text) {
    special_token token;
    token.text = text;
    settings.roles.push_back(token);
  };
  if (has("</s>") && has("<pad>")) {  // OPT begins every text with </s>
    with_role("</s>");
    with_role("<pad>");
    settings.bos = settings.eos = settings.unknown = "</s>";
    settings.add_bos = true;
  } else if (has("<|endoftext|>")) {
    with_role("<|endoftext|>");
    settings.bos = settings.eos = "<|endoftext|>";
  }
  return parts;
}

}  // namespace act::runtime
