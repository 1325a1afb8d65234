#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_settings.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

class settings_reader {
 public:
  settings_reader(const std::string& folder, std::vector<std::string>& notices)
      : folder_(folder), notices_(notices) {}

  tokenizer_settings read() {
    settings_.source = folder_;
    const std::optional<io::json_tree> config = file("tokenizer_config.json");
    const std::optional<io::json_tree> map = file("special_tokens_map.json");
    const std::optional<io::json_tree> added = file("added_tokens.json");
    const bool whole = config && config->root().find("added_tokens_decoder");
    if (config) {
      settings_.source = path("tokenizer_config.json");
      read_config(config->root());
      if (whole) read_decoder(*config->root().find("added_tokens_decoder"));
    }
    if (map) read_map(map->root(), whole);
    if (added) read_added(added->root(), whole);
    std::sort(settings_.added.begin(), settings_.added.end(),
              [](const special_token& a, const special_token& b) { return a.id < b.id; });
    return std::move(settings_);
  }

 private:
  [[nodiscard]] std::string path(const char* name) const { return std::filesystem::path(folder_) / name; }

  std::optional<io::json_tree> file(const char* name) {
    if (!std::filesystem::exists(path(name))) return std::nullopt;
    settings_.found = true;
    return io::read_json_object(path(name));
  }

  [[noreturn]] static void fail(const std::string& file, std::string_view what) {
    throw error(error_code::invalid_input, file, std::string(what) + "; fetch it again");
  }
  static std::string quoted(std::string_view text) { return "'" + io::printable(text) + "'"; }

  // A token written as its text, or as an object with the text and how it is matched.
  static special_token token_of(const std::string& file, io::json_value value, std::string_view what) {
    special_token token;
    token.id = unknown_id;
    const io::json_value content = value.member("content").value_or(value);
    if (content.text() == nullptr) fail(file, quoted(what) + " isn't a token");
    token.text = *content.text();
    if (!value.is_object()) return token;
    const auto flag = [&](const char* key, bool fallback) {
      const auto at = value.find(key);
      if (!at) return fallback;
      if (!at->truth()) fail(file, quoted(what) + " has a '" + key + "' that isn't true or false");
      return *at->truth();
    };
    token.control = flag("special", false);
    token.normalized = flag("normalized", !token.control);
    token.single_word = flag("single_word", false);
    token.lstrip = flag("lstrip", false);
    token.rstrip = flag("rstrip", false);
    return token;
  }

  static token_id id_of(const std::string& file, std::optional<std::uint64_t> id, std::string_view what) {
    if (!id || *id > std::numeric_limits<token_id>::max())
      fail(file, "the id of " + quoted(what) + " isn't a whole number");
    return static_cast<token_id>(*id);
  }

  void add_role(special_token token) {
    token.control = true;
    // The first to speak says how it is matched.
    if (role_names_.insert(token.text).second) settings_.roles.push_back(std::move(token));
  }

  // Every key of a role, as "bos_token"; the lists and objects of further special tokens.
  void read_roles(const std::string& file, io::json_value object, bool overrule) {
    const auto role = [&](std::string_view key, io::json_value value) {
      std::string* const name = key == "bos_token"   ? &settings_.bos
                                : key == "eos_token" ? &settings_.eos
                                : key == "unk_token" ? &settings_.unknown
                                                     : nullptr;
      if (value.is_null()) {
        if (key == "bos_token") settings_.without_bos = true;
        if (key == "eos_token") settings_.without_eos = true;
        return;
      }
      special_token token = token_of(file, value, key);
      if (name != nullptr) {
        if (overrule && !name->empty() && *name != token.text)
          notices_.push_back(file + ": '" + std::string(key) + "' is " + quoted(token.text) + ", " +
                             quoted(*name) + " in tokenizer_config.json; the former is read");
        *name = token.text;
        if (key == "bos_token") settings_.without_bos = false;
        if (key == "eos_token") settings_.without_eos = false;
      }
      add_role(std::move(token));
    };
    for (const auto& [key, value] : object.members()) {
      if (key.ends_with("_token")) {
        // Others than texts and objects aren't tokens but flags, as 'add_bos_token'.
        const bool named = key == "bos_token" || key == "eos_token" || key == "unk_token" ||
                           key == "pad_token" || key == "sep_token" || key == "cls_token" ||
                           key == "mask_token";
        if (named || value.text() != nullptr || value.member("content")) role(key, value);
      } else if (key == "additional_special_tokens" || key == "extra_special_tokens") {
        if (!value.is_null() && !value.is_array() && !value.is_object())
          fail(file, quoted(key) + " isn't a list of tokens");
        for (const io::json_value item : value.items())
          add_role(token_of(file, item, key));
        for (const auto& [name, item] : value.members())
          add_role(token_of(file, item, name));
      }
    }
  }

  void read_config(io::json_value config) {
    const std::string& file = settings_.source;
    read_roles(file, config, false);
    const auto flag = [&](const char* key, std::optional<bool>& value) {
      const auto at = config.find(key);
      if (!at) return;
      value = at->truth();
      if (!value) fail(file, quoted(key) + " isn't true or false");
    };
    flag("add_bos_token", settings_.add_bos);
    flag("add_eos_token", settings_.add_eos);
    flag("add_prefix_space", settings_.add_prefix_space);
    flag("legacy", settings_.legacy);
    // A null that is written isn't the default: `transformers` takes it for false.
    if (const auto legacy = config.member("legacy"); legacy && legacy->is_null()) settings_.legacy = false;
    std::optional<bool> split;
    flag("split_special_tokens", split);
    if (split.value_or(false))
      throw error(error_code::unsupported, file,
                  "'split_special_tokens' is set, which act doesn't support; remove it");
    if (const auto arguments = config.find("sp_model_kwargs"); arguments && arguments->size() != 0)
      throw error(error_code::unsupported, file,
                  "'sp_model_kwargs' has settings, which act doesn't support; leave it empty");
    if (const auto kind = config.find("tokenizer_class")) {
      if (kind->text() == nullptr) fail(file, "'tokenizer_class' isn't a text");
      std::string_view name = *kind->text();
      if (name.ends_with("Fast")) name.remove_suffix(4);
      settings_.kind = name;
    }
  }

  void read_decoder(io::json_value decoder) {
    const std::string& file = settings_.source;
    if (!decoder.is_object()) fail(file, "'added_tokens_decoder' isn't an object");
    for (const auto& [key, value] : decoder.members()) {
      std::uint64_t id = 0;
      const auto [end, failed] = std::from_chars(key.data(), key.data() + key.size(), id);
      const bool whole = failed == std::errc() && end == key.data() + key.size() && !key.empty();
      if (!value.is_object()) fail(file, "entry " + quoted(key) + " of 'added_tokens_decoder' isn't a token");
      special_token token = token_of(file, value, key);
      token.id = id_of(file, whole ? std::optional(id) : std::nullopt, token.text);
      add_token(file, std::move(token));
    }
  }

  void read_map(io::json_value map, bool passed_over) {
    const std::string file = path("special_tokens_map.json");
    if (!passed_over) {
      const std::vector<special_token> before = std::exchange(settings_.roles, {});
      role_names_.clear();
      read_roles(file, map, true);
      for (const special_token& token : before)
        add_role(token);
      return;
    }
    for (const char* key : {"bos_token", "eos_token"}) {
      const auto value = map.find(key);
      if (!value) continue;
      const special_token token = token_of(file, *value, key);
      const std::string& counts = key[0] == 'b' ? settings_.bos : settings_.eos;
      if (token.text != counts)
        notices_.push_back(file + ": '" + key + "' is " + quoted(token.text) + ", " +
                           (counts.empty() ? "nothing" : quoted(counts)) +
                           " in tokenizer_config.json, which is read");
    }
  }

  void read_added(io::json_value added, bool passed_over) {
    const std::string file = path("added_tokens.json");
    for (const auto& [text, value] : added.members()) {
      special_token token;
      token.text = text;
      token.id = id_of(file, value.count(), text);
      if (passed_over) {
        const auto same = added_ids_.find(token.text);
        if (same == added_ids_.end())
          notices_.push_back(file + ": " + quoted(text) +
                             " isn't in 'added_tokens_decoder' of tokenizer_config.json, which is read: it "
                             "stays text");
        else if (same->second != token.id)
          throw error(error_code::mismatch, file,
                      "the id of " + quoted(text) + " is " + std::to_string(token.id) +
                          ", in tokenizer_config.json " + std::to_string(same->second) +
                          "; the files don't belong together");
        continue;
      }
      token.control = role_names_.contains(token.text);
      token.normalized = !token.control;
      add_token(file, std::move(token));
    }
  }

  void add_token(const std::string& file, special_token token) {
    if (token.text.empty()) fail(file, "token " + std::to_string(token.id) + " is empty");
    if (!added_ids_.emplace(token.text, token.id).second)
      fail(file, quoted(token.text) + " is an added token twice");
    settings_.added.push_back(std::move(token));
  }

  static constexpr token_id unknown_id = -1;

  std::string folder_;
  std::vector<std::string>& notices_;
  tokenizer_settings settings_;
  std::unordered_set<std::string> role_names_;
  std::unordered_map<std::string, token_id> added_ids_;
};

}  // namespace

tokenizer_settings read_tokenizer_settings(const std::string& folder, std::vector<std::string>& notices) {
  return settings_reader(folder, notices).read();
}

}  // namespace act::runtime
