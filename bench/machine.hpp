// What a benchmark's numbers hang on, printed above them: compiler, flags, instruction set, threads.
#pragma once

#include <act/kernels/simd.hpp>
#include <act/parallel.hpp>
#include <act/version.hpp>

#include <benchmark/benchmark.h>

#include <string>

namespace act_bench {

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
