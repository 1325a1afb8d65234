// What a call for device memory answers instead of throwing: act::status, which the core's forms without
// exceptions answer too.
#pragma once

#include <act/status.hpp>
#include <act/version.hpp>

namespace act::inline ACT_ABI::cuda {

using act::describe;
using act::status;

}  // namespace act::inline ACT_ABI::cuda
