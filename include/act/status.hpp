// What a call answers that neither throws nor allocates: the core's try_ forms, and those for device memory.
// A call that answers anything but `ok` has written nothing, except `launch_failed`.
#pragma once

#include <act/version.hpp>

namespace act::inline ACT_ABI {

/// How a call went. On a device nothing is enqueued either, except with `launch_failed`: then the CUDA
/// runtime refused one of its launches (cudaGetLastError() says why).
enum class [[nodiscard]] status{
    ok,
    invalid_shape,   ///< an extent or stride doesn't fit the others; on a device also one of 2^31 or more
    invalid_option,  ///< an option (its validate() names it), or a tuning, is off range
    unsupported,     ///< well-formed, but not a thing that this form does
    workspace_too_small,  ///< fewer bytes than the size query asks for, or not aligned to 16; or a tracker
                          ///< with room for fewer keys than the step has
    launch_failed,        ///< the CUDA runtime refused a launch
};

/// One line for a log.
/// @param answer what a call answered
/// @return what it means, static text
[[nodiscard]] constexpr const char* describe(status answer) noexcept {
  switch (answer) {
    case status::ok:
      return "ok";
    case status::invalid_shape:
      return "an extent or stride doesn't fit the others, or a pointer is null";
    case status::invalid_option:
      return "an option or a tuning is outside its range: calibration_options::validate() names an option";
    case status::unsupported:
      return "well-formed, but this form doesn't do it; on a device: sinks, one beta for all heads, "
             "proportional redistribution without compatibility::authors, heads of at most 256 channels";
    case status::workspace_too_small:
      return "the workspace has fewer bytes than the size query asks for, or isn't aligned to 16";
    case status::launch_failed:
      return "the CUDA runtime refused a launch: cudaGetLastError() says why";
  }
  return "not a status";
}

}  // namespace act::inline ACT_ABI
