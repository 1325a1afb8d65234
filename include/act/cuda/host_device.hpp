// The two words that nvcc wants on functions and a plain C++ compiler doesn't know. For the headers of this
// folder: what they hold compiles for a device with nvcc, and for the processor with any C++20 compiler,
// which is how its logic is tested where there is no device.
#pragma once

#if defined(__CUDACC__)
#define ACT_HOST_DEVICE __host__ __device__
#define ACT_DEVICE __device__
#define ACT_UNROLL _Pragma("unroll")
#else
#define ACT_HOST_DEVICE
#define ACT_DEVICE
#define ACT_UNROLL
#endif
