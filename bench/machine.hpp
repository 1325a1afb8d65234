// What a benchmark's numbers hang on, printed above them: compiler, flags, instruction set, threads.
#pragma once

#include <act/detail/kernels/simd.hpp>
#include <act/parallel.hpp>
#include <act/version.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <new>
#include <string>
#include <vector>

namespace act_bench {

/// Memory that begins a cache line, as engines' and PyTorch's tensors do; a vector's begins anywhere.
template <class T>
struct line_allocator {
  using value_type = T;
  static constexpr std::align_val_t line{64};
  line_allocator() = default;
  template <class Other>
  line_allocator(const line_allocator<Other>&) noexcept {}
  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), line)); }
  void deallocate(T* at, std::size_t) noexcept { ::operator delete(at, line); }
  friend bool operator==(const line_allocator&, const line_allocator&) { return true; }
};
template <class T>
using tensor_memory = std::vector<T, line_allocator<T>>;

inline void describe_build() {
  benchmark::AddCustomContext("act", ACT_VERSION_STRING);
#if defined(__clang__)
  benchmark::AddCustomContext("compiler", "clang " __clang_version__);
#else
  benchmark::AddCustomContext("compiler", "gcc " __VERSION__);
#endif
  benchmark::AddCustomContext("flags", ACT_BENCH_FLAGS);
#if defined(ACT_DETAIL_HAS_XSIMD)
  benchmark::AddCustomContext("float lanes", std::to_string(xsimd::batch<float>::size));
#else
  benchmark::AddCustomContext("float lanes", "1 (no xsimd)");
#endif
  benchmark::AddCustomContext("threads available", std::to_string(act::thread_count()));
}

}  // namespace act_bench
