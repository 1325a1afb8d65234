// Files with one JSON object a line, or one document, and typed access to a value's members with errors that
// name file, line and key. What a value is to the JSON library is this header's source's alone: a reader of a
// format needn't compile it.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/readers/lines.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

/// One value of a file, with where it stands.
struct json_record {
  std::string place;  ///< "FILE:LINE" or the like; the prefix of every error
  const nlohmann::json& value;

  /// Throws error (invalid_input) with this record's place.
  [[noreturn]] void refuse(const std::string& what) const;

  /// Whether this is an object with the member `key`.
  [[nodiscard]] bool has(const std::string& key) const;

  /// The member `key`, at the same place. Throws when it is missing or this isn't an object.
  [[nodiscard]] json_record at(const std::string& key) const;

  /// The member `key`, which must be a string.
  [[nodiscard]] std::string text(const std::string& key) const;

  /// The items of the member `key`, which must be an array; all at the same place.
  [[nodiscard]] std::vector<json_record> items(const std::string& key) const;

  /// The member `key`, an array of at least two and at most 26 strings (options that can be lettered).
  [[nodiscard]] std::vector<std::string> options(const std::string& key) const;

  /// Throws unless 2 <= count <= 26.
  void check_option_count(std::size_t count) const;

  /// The member `key` as an index below `count`: a whole number, or a string of digits.
  [[nodiscard]] std::size_t index(const std::string& key, std::size_t count) const;

  /// What this value itself is, where it is that.
  [[nodiscard]] bool is_object() const;
  [[nodiscard]] bool is_true() const;
  [[nodiscard]] std::optional<std::string> string() const;
  [[nodiscard]] std::optional<std::uint64_t> whole_number() const;  ///< not negative

  /// This value, which must be a number.
  [[nodiscard]] double number() const;

  /// A string's text; any other value as JSON writes it.
  [[nodiscard]] std::string as_written() const;
};

/// Calls `use(const json_record&)` for every line that isn't empty. Throws error (invalid_input) for a line
/// that isn't one JSON object.
void for_each_json_line(const io::text_file& file, const std::function<void(const json_record&)>& use);

/// Calls `use` with the whole file as one value. Throws error (invalid_input) for text that isn't JSON.
void with_json_document(const io::text_file& file, const std::function<void(const json_record&)>& use);

/// Position of `label` among `names`. Throws error (invalid_input) at `place` when it is none of them.
[[nodiscard]] std::size_t label_position(const std::string& place, std::string_view label,
                                         std::span<const std::string> names);

}  // namespace act::tasks
