// Compiled without any -m flag: SSE2 on x86-64, NEON on 64-bit ARM. Doubles are this unit's alone.
#define ACT_C_DOUBLE 1
#include "unit.hpp"

const act_c::entry_points act_c::baseline = entry_points_here("baseline", [] { return true; });
