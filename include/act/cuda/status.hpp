// What a call for device memory answers instead of throwing. A call that answers anything but `ok` has
// enqueued nothing, except `launch_failed`: then the CUDA runtime refused one of its launches
// (cudaGetLastError() says why).
#pragma once

#include <act/version.hpp>

namespace act::inline ACT_ABI::cuda {

enum class [[nodiscard]] status{
    ok,
    invalid_shape,        ///< an extent or stride doesn't fit the others, or is 2^31 or more
    invalid_option,       ///< an option (calibration_options::validate() names it) or tuning is off range
    unsupported,          ///< well-formed, but not a thing that the device form does
    workspace_too_small,  ///< fewer bytes than the size query asks for, or not aligned to 16
    launch_failed,        ///< the CUDA runtime refused a launch
};

/// One line for a log.
[[nodiscard]] constexpr const char* describe(status answer) noexcept {
  switch (answer) {
    case status::ok:
      return "ok";
    case status::invalid_shape:
      return "an extent or stride doesn't fit the others, or a pointer is null";
    case status::invalid_option:
      return "an option or a tuning is outside its range: calibration_options::validate() names an option";
    case status::unsupported:
      return "on a device: sinks, one beta for all heads, proportional redistribution without "
             "compatibility::authors, heads of at most 256 channels";
    case status::workspace_too_small:
      return "the workspace has fewer bytes than the size query asks for, or isn't aligned to 16";
    case status::launch_failed:
      return "the CUDA runtime refused a launch: cudaGetLastError() says why";
  }
  return "not a status";
}

}  // namespace act::inline ACT_ABI::cuda
