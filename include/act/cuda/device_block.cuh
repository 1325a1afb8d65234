// What a kernel sees of its block on a device (reduction.hpp names the interface), and the entry point of all
// kernels. For nvcc.
#pragma once

#include <act/cuda/reduction.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

namespace act::inline ACT_ABI::cuda::detail {

class device_block {
 public:
  __device__ int index() const noexcept { return static_cast<int>(blockIdx.x); }
  __device__ int count() const noexcept { return static_cast<int>(gridDim.x); }
  __device__ int thread() const noexcept { return static_cast<int>(threadIdx.x); }
  __device__ int threads() const noexcept { return static_cast<int>(blockDim.x); }
  __device__ void* shared() const noexcept {
    extern __shared__ double act_shared_memory[];
    return act_shared_memory;
  }
  __device__ void sync() noexcept { __syncthreads(); }
  /// Over the whole warp, to each of its threads: a butterfly, so every lane adds in one order.
  template <class Sums>
  __device__ Sums warp_sum(Sums each) noexcept {
#pragma unroll
    for (int apart = warp_size / 2; apart > 0; apart /= 2)
      each = each + from_lane(each, apart);
    return each;
  }
  __device__ int add(int* counter, int n) noexcept {
    return atomicAdd(counter, n);
  }
  /// Release and acquire: one fence a side, where two of __threadfence() would wait for stores twice, in the
  /// order of all blocks.
  __device__ int arrive(int* counter) noexcept {
    int before = 0;
    asm volatile("atom.add.acq_rel.gpu.global.s32 %0, [%1], 1;"
                 : "=r"(before)
                 : "l"(__cvta_generic_to_global(counter))
                 : "memory");
    return before;
  }
  __device__ int peek(const int* counter) const noexcept {
    int now = 0;
    asm volatile("ld.acquire.gpu.global.s32 %0, [%1];"
                 : "=r"(now)
                 : "l"(__cvta_generic_to_global(counter))
                 : "memory");
    return now;
  }
  __device__ void pause() noexcept {
    __nanosleep(100);
  }

 private:
  __device__ static pair from_lane(const pair& each, int apart) noexcept {
    return {__shfl_xor_sync(0xffffffffU, each.first, apart),
            __shfl_xor_sync(0xffffffffU, each.second, apart)};
  }
  __device__ static four from_lane(const four& each, int apart) noexcept {
    four other;
#pragma unroll
    for (int e = 0; e < 4; ++e)
      other.at[e] = __shfl_xor_sync(0xffffffffU, each.at[e], apart);
    return other;
  }
};

/// Runs `kernel` with as many threads a block as its type says at most, and registers for as many blocks on a
/// processor as it asks for.
template <class Kernel>
__global__ void __launch_bounds__(Kernel::most_threads, Kernel::least_blocks)
    run_kernel(const __grid_constant__ Kernel kernel) {
  device_block block;
  kernel(block);
}

}  // namespace act::inline ACT_ABI::cuda::detail
