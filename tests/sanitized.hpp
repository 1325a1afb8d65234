// Whether the tests are compiled with the address sanitizer, under which real models and repeated searches
// take minutes: tests that say so do less of the same there.
#pragma once

namespace act_test {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace act_test
