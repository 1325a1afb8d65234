// Compiled with -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl and AVX2's flags.
#include "unit.hpp"

const act_c::entry_points act_c::avx512 = entry_points_here("avx512", [] {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
});
