// Runs a parsed chat template: what transformers' apply_chat_template writes, byte for byte, or an error. A
// template is a program from a stranger: it reads nothing but its variables, and the work, memory and depth
// that it may take are bounded.
#pragma once

#include <act/runtime/jinja/syntax.hpp>
#include <act/runtime/jinja/value.hpp>

#include <ctime>
#include <string>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

/// What a template can see.
struct environment {
  std::vector<std::pair<std::string, value>> variables;
  std::time_t now = 0;  ///< what strftime_now() formats, in local time
};

/// What the template writes. `source` prefixes errors, `mend` ends them. Throws error (unsupported) for a
/// filter, test, function or use of them that this doesn't know, and for a template that takes more than a
/// few million steps, bytes it writes among them, and some for each byte that it is given; (invalid_input)
/// for what jinja fails at too and where the template itself refuses (raise_exception).
[[nodiscard]] marked_text render(const body& of, const environment& with, const std::string& source,
                                 const std::string& mend);

}  // namespace act::runtime::jinja
