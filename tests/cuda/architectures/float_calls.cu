// Every call, in float.
#include <act/cuda/calibrate.cuh>

#include "cuda/architectures/calls.hpp"

act::cuda::status float_calls() {
  using namespace act::cuda;
  const attention_map<float> map{};
  const head_tensor<float> tensor{};
  const tracker_state state{};
  const status answers[] = {calibrate(map, {}, {}, nullptr, calibrate_workspace(map), nullptr),
                            correct_output(tensor, nullptr, tensor, tensor, tensor, {}, {}, {}, nullptr,
                                           correction_workspace(tensor, tensor), nullptr),
                            start_tracker(state, nullptr, 0, {}, 0, {}, {}, nullptr),
                            step_tracker(state, map, nullptr, {}, {}, nullptr)};
  for (const status each : answers) {
    if (each != status::ok) return each;
  }
  return status::ok;
}
