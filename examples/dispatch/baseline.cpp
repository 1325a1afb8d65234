// Compiled without any -m flag: SSE2 on x86-64, NEON on 64-bit ARM.
#include "unit.hpp"

const dispatch::kernels dispatch::baseline{"baseline", [] { return true; }, calibrate_here};
