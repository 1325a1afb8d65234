// A JSON file of a model folder, parsed with the checks untrusted input needs. For the readers of
// config.json, safetensors headers and tokenizer files. What the values mean is theirs; this names file and
// place when something is wrong.
#pragma once

#include <act/error.hpp>
#include <act/runtime/files/mapped_file.hpp>
#include <act/runtime/files/printable.hpp>
#include <act/version.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace act::inline ACT_ABI {

using json = nlohmann::json;

/// Parses `text`, which messages call `file` and place from byte `offset` on. Throws `error` (invalid_input)
/// for anything that isn't one JSON value in UTF-8, for objects that have a key twice (parsers differ in
/// which one they keep) and for nesting beyond 64 levels. Cost: linear.
[[nodiscard]] inline json parse_json(std::string_view text, const std::string& file, std::size_t offset = 0) {
  std::vector<std::unordered_set<std::string>> keys;  // of the objects that are open
  std::string mistake;
  // Checks while parsing; what is refused is not stored. Levels count from 0.
  const auto check = [&](int depth, json::parse_event_t event, json& value) {
    if (!mistake.empty()) return false;
    if (depth > 64) {
      mistake = "is nested more than 64 levels deep; the file is damaged";
      return false;
    }
    if (event == json::parse_event_t::object_start) {
      keys.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      keys.pop_back();
    } else if (event == json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys.back().insert(key).second) {
        mistake = "key '" + printable(key) + "' is there twice; write it once";
        return false;
      }
    }
    return true;
  };
  json parsed;
  try {
    parsed = json::parse(text.begin(), text.end(), check);
  } catch (const json::parse_error& wrong) {
    if (!mistake.empty()) throw error(error_code::invalid_input, file, mistake);  // the earlier of the two
    throw error(error_code::invalid_input, file + ": at byte " + std::to_string(offset + wrong.byte),
                "isn't valid JSON; the file is truncated or damaged, fetch it again");
  } catch (const json::exception&) {  // numbers out of range and the like
    throw error(error_code::invalid_input, file, "holds JSON that can't be represented; the file is damaged");
  }
  if (!mistake.empty()) throw error(error_code::invalid_input, file, mistake);
  return parsed;
}

/// Parses the whole file at `path`. Throws also `error` (io) when it can't be read.
[[nodiscard]] inline json read_json(const std::filesystem::path& path) {
  const mapped_file file(path);
  return parse_json(file.text(), path.string());
}

}  // namespace act::inline ACT_ABI
