#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/io/mapped_file.hpp>
#include <act/runtime/checkpoint/chat_template_text.hpp>
#include <act/runtime/checkpoint/gguf.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

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

}  // namespace act::runtime
