// The CUDA runtime as map_calibration.hpp and its neighbours use it: a launch, a memset, a question about
// occupancy. All on one stream, all capturable in a graph.
#pragma once

#include <act/cuda/device_block.cuh>
#include <act/version.hpp>

#include <cuda_runtime.h>

#include <cstddef>

namespace act::inline ACT_ABI::cuda::detail {

class stream_launcher {
 public:
  explicit stream_launcher(cudaStream_t stream) noexcept : stream_(stream) {}

  bool clear(void* memory, std::size_t bytes) noexcept {
    return cudaMemsetAsync(memory, 0, bytes, stream_) == cudaSuccess;
  }

  /// Blocks of `kernel` that the device runs at once; 0 when it runs none.
  template <class Kernel>
  [[nodiscard]] int resident_blocks(const Kernel&, int threads, int shared_bytes) noexcept {
    int device = 0, processors = 0, each = 0;
    if (cudaGetDevice(&device) != cudaSuccess ||
        cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device) != cudaSuccess ||
        cudaOccupancyMaxActiveBlocksPerMultiprocessor(
            &each, run_kernel<Kernel>, threads, static_cast<std::size_t>(shared_bytes)) != cudaSuccess) {
      return 0;
    }
    return processors * each;
  }

  [[nodiscard]] std::size_t cache_bytes() noexcept {
    int device = 0, bytes = 0;
    if (cudaGetDevice(&device) != cudaSuccess ||
        cudaDeviceGetAttribute(&bytes, cudaDevAttrL2CacheSize, device) != cudaSuccess || bytes < 0) {
      return 0;
    }
    return static_cast<std::size_t>(bytes);
  }

  template <class Kernel>
  bool launch(const Kernel& kernel, int blocks, int threads, int shared_bytes) noexcept {
    // The launch's own answer: cudaPeekAtLastError() would also tell what an earlier call of the engine's
    // left.
    void* arguments[] = {const_cast<Kernel*>(&kernel)};
    return cudaLaunchKernel(run_kernel<Kernel>, dim3(static_cast<unsigned>(blocks)),
                            dim3(static_cast<unsigned>(threads)), arguments,
                            static_cast<std::size_t>(shared_bytes), stream_) == cudaSuccess;
  }

 private:
  cudaStream_t stream_;
};

}  // namespace act::inline ACT_ABI::cuda::detail
