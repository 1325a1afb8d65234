// JSON that was read, looked at without the JSON library's headers, which cost more to compile than most
// files that look at a few keys. Making JSON is json_document.hpp.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::io {

/// One value of a document that lives elsewhere (json_tree). Small: pass it by value.
class json_value {
 public:
  explicit json_value(const nlohmann::json& of) noexcept : of_(&of) {}

  [[nodiscard]] bool is_null() const noexcept;
  [[nodiscard]] bool is_object() const noexcept;
  [[nodiscard]] bool is_array() const noexcept;

  /// True or false, a whole number from 0 on, any number, a text; nothing, or nullptr, for other values.
  [[nodiscard]] std::optional<bool> truth() const;
  [[nodiscard]] std::optional<std::uint64_t> count() const;
  [[nodiscard]] std::optional<double> number() const;
  [[nodiscard]] const std::string* text() const noexcept;
  [[nodiscard]] bool is_text(std::string_view wanted) const noexcept;

  /// Items of a list, members of an object.
  [[nodiscard]] std::size_t size() const noexcept;
  /// Precondition: a list with such an item.
  [[nodiscard]] json_value operator[](std::size_t item) const;
  /// None unless it is a list.
  [[nodiscard]] std::vector<json_value> items() const;

  /// The value at a key, null or not; nothing where there is none or this isn't an object.
  [[nodiscard]] std::optional<json_value> member(std::string_view key) const;
  /// The same, but nothing for null too.
  [[nodiscard]] std::optional<json_value> find(std::string_view key) const;
  /// In the order of their keys; none unless it is an object.
  [[nodiscard]] std::vector<std::pair<std::string_view, json_value>> members() const;

 private:
  const nlohmann::json* of_;
};

/// A document that was read. Copies share it.
class json_tree {
 public:
  explicit json_tree(nlohmann::json&& held);

  /// Lives as long as the tree or a copy of it.
  [[nodiscard]] json_value root() const noexcept { return json_value(*held_); }

 private:
  std::shared_ptr<const nlohmann::json> held_;
};

/// As `parse_json` (parse_json.hpp).
[[nodiscard]] json_tree parse_json_tree(std::string_view text, const std::string& where,
                                        std::string_view mend = "mend the file or fetch it again",
                                        std::size_t offset = 0);

}  // namespace act::io
