// Patterns of the reference tokenizers, written in Oniguruma's (Ruby's) syntax and with Unicode 16 in mind,
// as PCRE2 patterns that match the same. What PCRE2 would take to mean something else is spelled out; what
// has no equal is refused by name. For regular_expression.hpp.
#pragma once

#include <string>
#include <string_view>

namespace act::runtime {

/// `pattern` for PCRE2 with UTF and UCP. Throws `error` (unsupported), naming `where` and the construct, for
/// what act doesn't have: backreferences, named groups, word boundaries, intersections of classes, properties
/// it has no table of. A pattern that is malformed comes out malformed: PCRE2 says where. Cost: linear.
[[nodiscard]] std::string pcre2_pattern(std::string_view pattern, std::string_view where);

}  // namespace act::runtime
