// The device of the tests in device_calls.cu.
#pragma once

#include <string>

namespace act_test {

/// Why there is no device to run on; empty when there is one.
std::string missing_device();
std::string device_name();

}  // namespace act_test
