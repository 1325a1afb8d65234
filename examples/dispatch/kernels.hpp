// What the engine calls, whichever instruction set does the work: plain pointers and numbers. This header is
// seen by units with different -m flags, so it has declarations only, and includes nothing of act.
#pragma once

#include <cstddef>

namespace dispatch {

/// The entry points of one translation unit.
struct kernels {
  const char* name;
  bool (*runs_here)();  ///< has this processor what the unit is compiled for?
  /// Calibrates the chosen heads of weights [head, token, token]; returns the number of sinks.
  std::size_t (*calibrate)(float* weights, std::size_t heads, std::size_t tokens, const std::size_t* chosen,
                           std::size_t chosen_count);
};

extern const kernels baseline;
#if defined(DISPATCH_X86)
extern const kernels avx2;
extern const kernels avx512;
#endif

}  // namespace dispatch
