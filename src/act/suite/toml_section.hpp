// A table of a TOML file, read key by key: every error has the file, the line, and the nearest key there is.
// For suite_file.cpp alone, and the one header that knows toml++.
#pragma once

#include <toml++/toml.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace act::suite {

class toml_section {
 public:
  /// `title` is what messages call it: "[[task]]". Both must outlive it.
  toml_section(const std::string& file, const toml::table& table, std::string title);

  /// FILE:LINE of the table, or of one of its keys.
  [[nodiscard]] std::string where() const;
  [[nodiscard]] std::string where(std::string_view key) const;

  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] std::optional<std::string> text(const std::string& key);
  /// Throws where it isn't there or is empty.
  [[nodiscard]] std::string required_text(const std::string& key);
  /// One of `values`; where it is none of these the error names the nearest.
  [[nodiscard]] std::optional<std::string> one_of(const std::string& key,
                                                  const std::vector<std::string>& values);
  [[nodiscard]] std::optional<std::int64_t> whole(const std::string& key, std::int64_t least,
                                                  std::int64_t most);
  /// A number above 0, at most `most`.
  [[nodiscard]] std::optional<double> positive(const std::string& key, double most);
  [[nodiscard]] std::optional<bool> truth(const std::string& key);
  /// A list of texts, each once; a text alone is a list of one.
  [[nodiscard]] std::optional<std::vector<std::string>> texts(const std::string& key);
  /// A list of whole numbers, each once; a number alone is a list of one.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> wholes(const std::string& key, std::int64_t least,
                                                                std::int64_t most);
  [[nodiscard]] std::optional<toml_section> section(const std::string& key);
  /// Every table of a [[key]].
  [[nodiscard]] std::vector<toml_section> sections(const std::string& key);
  /// The table as JSON, its keys unchecked.
  [[nodiscard]] std::string json() const;

  /// Throws where the table has a key that was never asked for.
  void refuse_others() const;

  [[noreturn]] void refuse(std::string_view key, const std::string& what) const;

 private:
  [[nodiscard]] const toml::node* find(const std::string& key);
  [[noreturn]] void refuse_type(const std::string& key, const toml::node& found,
                                const std::string& wanted) const;
  [[nodiscard]] std::int64_t whole_of(const std::string& key, const toml::node& node, std::int64_t least,
                                      std::int64_t most) const;

  const std::string* file_;
  const toml::table* table_;
  std::string title_;
  std::set<std::string, std::less<>> asked_;
};

/// "did you mean 'x'?" where one of `known` is near, else the list of all.
[[nodiscard]] std::string suggestion(std::string_view given, const std::vector<std::string>& known);

}  // namespace act::suite
