// Whether what is tested is compiled with the address sanitizer, under which real models and repeated
// searches take minutes: tests that say so do less of the same there.
#pragma once

namespace act_test {

#ifdef ACT_TEST_SANITIZED  // by tests/CMakeLists.txt
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace act_test
