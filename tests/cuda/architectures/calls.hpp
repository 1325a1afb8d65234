// Two translation units with the same kernels, for each architecture: the instantiations have to compile and
// to link.
#pragma once

#include <act/cuda/status.hpp>

act::cuda::status float_calls();
act::cuda::status half_calls();
