#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/io/mapped_file.hpp>
#include <act/runtime/checkpoint/chat_template_text.hpp>
#include <act/runtime/checkpoint/gguf.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {

std::optional<std::string> read_chat_template(const std::string& model) {
  if (!std::filesystem::is_directory(model)) {
    const gguf_file file(model);
    const auto text = file.find<std::string_view>("tokenizer.chat_template");
    return text ? std::optional<std::string>(*text) : std::nullopt;
  }
  const std::filesystem::path folder(model);
  if (std::filesystem::exists(folder / "chat_template.jinja")) {
    return std::string(io::mapped_file(folder / "chat_template.jinja").text());
  }
  const std::filesystem::path path = folder / "tokenizer_config.json";
  if (!std::filesystem::exists(path)) return std::nullopt;
  const io::json_tree tree = io::read_json(path);
  const auto stored = tree.root().find("chat_template");
  if (!stored) return std::nullopt;
  if (stored->text() != nullptr) return *stored->text();
  for (const io::json_value each : stored->items()) {
    const auto name = each.find("name");
    const auto text = each.find("template");
    if (name && name->is_text("default") && text && text->text() != nullptr) return *text->text();
  }
  throw error(error_code::invalid_input, path.string(),
              "'chat_template' is neither a text nor a list with one called \"default\"; fetch it again");
}

std::vector<std::pair<std::string, std::optional<std::string>>> read_template_tokens(
    const std::string& model) {
  std::vector<std::pair<std::string, std::optional<std::string>>> tokens;
  if (!std::filesystem::is_directory(model)) return tokens;
  const auto known = [&](const std::string& name) {
    return std::any_of(tokens.begin(), tokens.end(), [&](const auto& each) { return each.first == name; });
  };
  for (const char* file : {"tokenizer_config.json", "special_tokens_map.json"}) {
    const std::filesystem::path path = std::filesystem::path(model) / file;
    if (!std::filesystem::exists(path)) continue;
    const io::json_tree tree = io::read_json(path);
    for (const std::string name : {"bos_token", "eos_token", "unk_token", "pad_token"}) {
      const auto stored = tree.root().member(name);
      if (!stored || known(name)) continue;
      if (stored->is_null()) {
        tokens.emplace_back(name, std::nullopt);
        continue;
      }
      const std::string* const text = stored->find("content").value_or(*stored).text();
      if (text == nullptr)
        throw error(error_code::invalid_input, path.string(), "'" + name + "' isn't a token; fetch it again");
      tokens.emplace_back(name, *text);
    }
  }
  return tokens;
}

}  // namespace act::runtime
