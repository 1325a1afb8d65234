#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/runtime/tokenizer/tokenizer_settings.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

namespace act::runtime {

tokenizer_settings read_tokenizer_settings(const std::string& folder) {
  tokenizer_settings settings;
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"}) {
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    if (!std::filesystem::exists(path)) continue;
    settings.found = true;
    const io::json_tree tree = io::read_json_object(path);
    const auto token = [&](const char* key, std::string* role) {
      const auto at = tree.root().find(key);
      if (!at) return;
      const std::string* const text = at->member("content").value_or(*at).text();
      if (text == nullptr)
        throw error(error_code::invalid_input, path.string(),
                    "'" + std::string(key) + "' isn't a token; fetch it again");
      if (role != nullptr) *role = *text;
      if (std::find(settings.special.begin(), settings.special.end(), *text) == settings.special.end())
        settings.special.push_back(*text);
    };
    token("bos_token", &settings.bos);
    token("eos_token", &settings.eos);
    token("unk_token", &settings.unknown);
    token("pad_token", nullptr);
    const auto flag = [&](const char* key, std::optional<bool>& value) {
      const auto at = tree.root().find(key);
      if (!at) return;
      value = at->truth();
      if (!value)
        throw error(error_code::invalid_input, path.string(),
                    "'" + std::string(key) + "' isn't true or false; fetch it again");
    };
    flag("add_bos_token", settings.add_bos);
    flag("add_eos_token", settings.add_eos);
    flag("add_prefix_space", settings.add_prefix_space);
  }
  return settings;
}

}  // namespace act::runtime
