// One cut of a text at the places that a pattern finds, and what becomes of these. For pre_tokenizer.hpp; the
// reference is the Python package `tokenizers` (Split and what is like it).
#pragma once

#include <act/runtime/tokenizer/regular_expression.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace act::runtime {

/// What becomes of the separators, by the reference's names.
enum class split_behaviour {
  removed,               ///< they go
  isolated,              ///< each is a piece
  merged_with_previous,  ///< one behind other text ends that piece; else it is a piece
  merged_with_next,      ///< one before other text begins that piece; else it is a piece
  contiguous,            ///< each run of them is a piece
};

/// Immutable in use.
class split_rule {
 public:
  /// Bytes [begin, end) of a text.
  struct range {
    std::size_t begin, end;
  };

  /// Separators are the pattern's matches, or, `inverted`, what lies between them.
  split_rule(regular_expression pattern, split_behaviour behaviour, bool inverted = false);

  /// Appends the pieces of `text` (valid UTF-8, not empty) in order; none is empty. `matcher` is the
  /// pattern's. Throws as it.
  void split(std::string_view text, regular_expression::matcher& matcher, std::vector<range>& pieces) const;

  [[nodiscard]] const regular_expression& pattern() const noexcept { return pattern_; }

 private:
  regular_expression pattern_;
  split_behaviour behaviour_;
  bool inverted_;
};

}  // namespace act::runtime
