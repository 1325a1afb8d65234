#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/runtime/tokenizer/tokenizer_settings.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

namespace act::runtime {

tokenizer_settings read_tokenizer_settings(const std::filesystem::path& folder) {
  tokenizer_settings settings;
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"}) {
    const std::filesystem::path path = folder / name;
    if (!std::filesystem::exists(path)) continue;
    settings.found = true;
    const io::json root = io::read_json_object(path);
    const auto token = [&](const char* key, std::string* role) {
      const auto at = root.find(key);
      if (at == root.end() || at->is_null()) return;
      const io::json& text = at->is_object() && at->contains("content") ? (*at)["content"] : *at;
      if (!text.is_string())
        throw error(error_code::invalid_input, path.string(),
                    "'" + std::string(key) + "' isn't a token; fetch it again");
      const auto& value = text.get_ref<const std::string&>();
      if (role != nullptr) *role = value;
      if (std::find(settings.special.begin(), settings.special.end(), value) == settings.special.end())
        settings.special.push_back(value);
    };
    token("bos_token", &settings.bos);
    token("eos_token", &settings.eos);
    token("unk_token", &settings.unknown);
    token("pad_token", nullptr);
    const auto flag = [&](const char* key, std::optional<bool>& value) {
      const auto at = root.find(key);
      if (at == root.end() || at->is_null()) return;
      if (!at->is_boolean())
        throw error(error_code::invalid_input, path.string(),
                    "'" + std::string(key) + "' isn't true or false; fetch it again");
      value = at->get<bool>();
    };
    flag("add_bos_token", settings.add_bos);
    flag("add_eos_token", settings.add_eos);
    flag("add_prefix_space", settings.add_prefix_space);
  }
  return settings;
}

}  // namespace act::runtime
