// Loops that the address sanitizer would make twenty times as slow, and with them every test that runs a
// model, aren't instrumented where ACT_LOOK_AT_TENSORS is defined (src/act/CMakeLists.txt): they look at each
// tensor whole before they begin, and one that reaches out of its memory ends the program with where it lies.
// Tests of their own watch the same loops access by access.
#pragma once

#ifdef ACT_LOOK_AT_TENSORS
#include <sanitizer/asan_interface.h>

#include <cstddef>
#include <cstdlib>

namespace act::runtime {
namespace {  // products' kernels share no function (products/kernels/vectors.hpp)

inline void look_at_memory(const void* from, std::size_t bytes) noexcept {
  if (bytes == 0) return;
  void* const poisoned = __asan_region_is_poisoned(const_cast<void*>(from), bytes);
  if (poisoned == nullptr) return;
  __asan_describe_address(poisoned);
  std::_Exit(1);
}

}  // namespace
}  // namespace act::runtime
#endif
