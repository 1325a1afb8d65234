// Compiled with -mavx2 -mfma -mf16c. Every processor with AVX2 has F16C, which clang 14 can't ask for.
#include "unit.hpp"

const act_c::entry_points act_c::avx2 =
    entry_points_here("avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); });
