#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/mapped_file.hpp>
#include <act/runtime/checkpoint/chat_template_text.hpp>
#include <act/runtime/checkpoint/gguf.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace act::runtime {

std::optional<std::string> read_chat_template(const std::filesystem::path& model) {
  if (!std::filesystem::is_directory(model)) {
    const gguf_file file(model);
    const auto text = file.find<std::string_view>("tokenizer.chat_template");
    return text ? std::optional<std::string>(*text) : std::nullopt;
  }
  if (std::filesystem::exists(model / "chat_template.jinja")) {
    return std::string(io::mapped_file(model / "chat_template.jinja").text());
  }
  const std::filesystem::path path = model / "tokenizer_config.json";
  if (!std::filesystem::exists(path)) return std::nullopt;
  const io::json root = io::read_json(path);
  if (!root.is_object() || !root.contains("chat_template") || root["chat_template"].is_null()) {
    return std::nullopt;
  }
  const io::json& stored = root["chat_template"];
  if (stored.is_string()) return stored.get<std::string>();
  if (stored.is_array()) {
    for (const io::json& each : stored) {
      if (each.is_object() && each.value("name", io::json()) == "default" && each.contains("template") &&
          each["template"].is_string()) {
        return each["template"].get<std::string>();
      }
    }
  }
  throw error(error_code::invalid_input, path.string(),
              "'chat_template' is neither a text nor a list with one called \"default\"; fetch it again");
}

}  // namespace act::runtime
