#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/products/kernel_table.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <span>

namespace act::runtime {

extern const product_kernels kernels_baseline;
#if defined(ACT_X86_KERNELS)
extern const product_kernels kernels_avx2;
#endif
#if defined(ACT_AVX512_KERNELS)
extern const product_kernels kernels_avx512, kernels_avx512_bf16;
#endif

void decode_elsewhere(const stored_row& row, std::size_t first, std::size_t depth, float* out) noexcept {
  const std::size_t numbers = block_elements(row.type), bytes = block_bytes(row.type);
  dequantize(row.type, {row.bytes + first / numbers * bytes, depth / numbers * bytes}, {out, depth});
}

namespace {

struct found_kernels {
  std::array<const product_kernels*, 4> each{};
  std::size_t count = 0;

  found_kernels() noexcept {
#if defined(ACT_X86_KERNELS)
    __builtin_cpu_init();
    const bool avx2 =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#if defined(ACT_AVX512_KERNELS)
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl");
    if (avx512 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni"))
      each[count++] = &kernels_avx512_bf16;
    if (avx512) each[count++] = &kernels_avx512;
#endif
    if (avx2) each[count++] = &kernels_avx2;
#endif
    each[count++] = &kernels_baseline;
  }
};

std::atomic<const product_kernels*> chosen{nullptr};

}  // namespace

std::span<const product_kernels* const> runnable_kernels() noexcept {
  static const found_kernels found;
  return {found.each.data(), found.count};
}

const product_kernels& kernels() noexcept {
  const product_kernels* const own = chosen.load(std::memory_order_relaxed);
  return own != nullptr ? *own : *runnable_kernels().front();
}

void use_kernels(const product_kernels& of) noexcept {
  chosen = &of;
}

}  // namespace act::runtime
