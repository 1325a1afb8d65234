// The words of a chat template: text between tags, and what stands in them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime::jinja {

enum class word_kind {
  text,
  print_begin,
  print_end,
  tag_begin,
  tag_end,
  name,
  string,
  integer,
  real,
  sign,
  end
};

struct word {
  word_kind what = word_kind::end;
  std::string text;  ///< a string's without quotes, escapes resolved
  std::size_t line = 1;
};

/// The places of errors in a template, and how they end.
struct error_place {
  std::string source;
  std::string mend;

  /// Throws error (invalid_input): "SOURCE: chat template, line N: WHAT; MEND".
  [[noreturn]] void refuse(std::size_t line, const std::string& what) const;
  /// The same (unsupported), for what jinja could do.
  [[noreturn]] void unsupported(std::size_t line, const std::string& what) const;
};

/// As parse (parse.hpp), with white space around tags taken away as `{%-`, trim_blocks and lstrip_blocks say.
/// Ends with an `end`.
[[nodiscard]] std::vector<word> lex(std::string_view text, const error_place& place);

}  // namespace act::runtime::jinja
