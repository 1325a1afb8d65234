// PCRE2 behind RAII, for the pre-tokenizer: compile a pattern once, find its matches in valid UTF-8 text.
// Unicode classes are those of the reference tokenizers (Unicode 16), not of the installed PCRE2.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace act::runtime {

/// A compiled pattern. Matching is const and may run in many threads, each with its own `matcher`.
class regular_expression {
 public:
  struct match {
    std::size_t begin, end;  ///< bytes of the text
  };

  /// Compiles `pattern`, which is in the reference's syntax (onig_pattern.hpp). Throws `error` that names
  /// `where`: invalid_input for a pattern that is malformed, unsupported for what act doesn't have.
  regular_expression(std::string_view pattern, std::string_view where);

  /// Scratch memory of one thread.
  class matcher {
   public:
    explicit matcher(const regular_expression& expression);

    /// The first match that starts at or after `from`. `text` is valid UTF-8. Throws `error` (unsupported)
    /// when the pattern backtracks beyond PCRE2's limits.
    std::optional<match> find(std::string_view text, std::size_t from);

   private:
    struct free_data {
      void operator()(void* data) const noexcept;
    };
    const void* code_;                       // pcre2_code
    std::unique_ptr<void, free_data> data_;  // pcre2_match_data
  };

 private:
  struct free_code {
    void operator()(void* code) const noexcept;
  };

  std::unique_ptr<void, free_code> code_;  // pcre2_code; its header stays in one source file
};

/// Calls found(match) for every match in `text`, from left to right, as Oniguruma's iteration has them: empty
/// ones too, but none where the one before it ends. Throws as `matcher::find`.
template <class Found>
void each_match(regular_expression::matcher& matcher, std::string_view text, Found found) {
  std::optional<std::size_t> before;  // where the last match ended
  for (std::size_t from = 0; from <= text.size();) {
    const std::optional<regular_expression::match> m = matcher.find(text, from);
    if (!m) return;
    if (m->begin == m->end && before == m->end) {
      ++from;
      while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xc0) == 0x80)
        ++from;
      continue;
    }
    found(*m);
    from = m->end;
    before = m->end;
  }
}

template <class Found>
void each_match(const regular_expression& expression, std::string_view text, Found found) {
  regular_expression::matcher matcher(expression);
  each_match(matcher, text, found);
}

}  // namespace act::runtime
