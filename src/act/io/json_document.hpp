// A JSON document in the making, for results: objects that keep the order of their keys, lists, numbers,
// texts. Whoever makes one needn't compile the JSON library, which costs more than most files that only write
// a result.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace act::io {

struct json_member;

/// Made from values implicitly: a member is {"key", value}. One JSON value with all that it holds; copies are
/// deep. Empty it is null. Numbers keep their type: a count is written without a point, a double with the
/// digits that give it back, NaN and infinities as null.
class json_document {
 public:
  json_document() noexcept;
  json_document(const json_document& other);
  json_document(json_document&& other) noexcept;
  json_document& operator=(const json_document& other);
  json_document& operator=(json_document&& other) noexcept;
  ~json_document();

  json_document(std::nullptr_t) noexcept;
  json_document(bool truth);
  json_document(int number);
  json_document(unsigned number);
  json_document(long number);
  json_document(unsigned long number);
  json_document(long long number);
  json_document(unsigned long long number);
  json_document(double number);
  json_document(const char* text);
  json_document(std::string_view text);
  json_document(std::string text);
  json_document(const std::vector<std::int32_t>& list);
  json_document(const std::vector<std::size_t>& list);
  json_document(const std::vector<double>& list);
  json_document(const std::vector<std::string>& list);

  /// A copy of what the JSON library holds.
  [[nodiscard]] static json_document of(const nlohmann::ordered_json& value);

  [[nodiscard]] static json_document object();
  [[nodiscard]] static json_document object(std::initializer_list<json_member> members);
  [[nodiscard]] static json_document array();
  [[nodiscard]] static json_document array(std::initializer_list<json_document> items);

  /// Adds a member at the end, or gives the one of that name another value. Precondition: an object, or null,
  /// which becomes one.
  void set(std::string_view key, json_document item);
  /// Sets every member of `other`, an object, in its order.
  void update(const json_document& other);
  /// Precondition: a list, or null, which becomes one.
  void push_back(json_document item);
  /// Of a list or an object.
  [[nodiscard]] std::size_t size() const noexcept;

  /// As compact_json and pretty_json (json_text.hpp).
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string pretty() const;
  /// On one line, what isn't ASCII escaped.
  [[nodiscard]] std::string ascii() const;

  /// What it is to the JSON library; lives as long as the document, and until that changes.
  [[nodiscard]] const nlohmann::ordered_json& value() const noexcept;

 private:
  explicit json_document(std::unique_ptr<nlohmann::ordered_json> held) noexcept;
  [[nodiscard]] nlohmann::ordered_json& held();

  std::unique_ptr<nlohmann::ordered_json> held_;  // none: null
};

/// A key with its value, for json_document::object.
struct json_member {
  std::string_view key;
  mutable json_document value;  ///< moved out of the list of members, which is made for that
};

}  // namespace act::io
