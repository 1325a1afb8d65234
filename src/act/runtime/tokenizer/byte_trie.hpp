// Strings found where they begin: which of many starts at a place of a text, and which is the longest. For
// special_tokens.hpp and unigram_model.hpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {

/// Immutable in use.
class byte_trie {
 public:
  struct match {
    std::size_t value, length;
  };

  /// Adds a string that isn't empty; the same string's later value counts.
  void insert(std::string_view text, std::size_t value);

  /// Calls found({value, length}) for each string that `text` has at `from`, shortest first. Cost: O(longest
  /// string).
  template <class Found>
  void each_at(std::string_view text, std::size_t from, Found found) const {
    if (nodes_.empty()) return;
    std::size_t at = 0;
    for (std::size_t i = from; i < text.size(); ++i) {
      at = follow(at, static_cast<unsigned char>(text[i]));
      if (at == none) return;
      if (nodes_[at].value != none) found(match{nodes_[at].value, i + 1 - from});
    }
  }

  [[nodiscard]] std::optional<match> longest_at(std::string_view text, std::size_t from) const;

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  struct node {
    std::size_t value = none;
    std::vector<std::pair<unsigned char, std::size_t>> next;  // sorted by byte
  };

  [[nodiscard]] std::size_t follow(std::size_t from, unsigned char byte) const;

  std::vector<node> nodes_;
};

}  // namespace act::runtime
