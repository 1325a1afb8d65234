// The words that nvcc wants on functions and a plain C++ compiler doesn't know. For what host and device
// share: with nvcc it compiles for a device, with any C++20 compiler for the processor, which is also how
// device code is tested where there is no device.
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
