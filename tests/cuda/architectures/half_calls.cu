// CUDA's own half types, and the float kernels of a tracker once more: the linker has to take one of each.
#include <act/cuda/calibrate.cuh>

#include "cuda/architectures/calls.hpp"

act::cuda::status half_calls() {
  using namespace act::cuda;
  const tracker_state state{};
  const status answers[] = {step_tracker(state, attention_map<__half>{}, nullptr, {}, {}, nullptr),
                            step_tracker(state, attention_map<__nv_bfloat16>{}, nullptr, {}, {}, nullptr),
                            step_tracker(state, attention_map<float>{}, nullptr, {}, {}, nullptr),
                            start_tracker(state, nullptr, 0, {}, 0, {}, {}, nullptr)};
  for (const status each : answers) {
    if (each != status::ok) return each;
  }
  return status::ok;
}
