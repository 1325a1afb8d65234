// ggml's K-quants to float: blocks of 256 numbers with a half-precision scale over the block and small
// integer scales for its groups of 16 or 32. For `dequantize` (quantization.hpp), which says what their
// values equal. Layouts: ggml's block_q2_K .. block_q6_K; block_bytes (tensor_type.hpp) has their sizes.
#pragma once

#include <cstddef>

namespace act::runtime {

/// Each converts one block at `block`, at any alignment, to the 256 floats at `out`, which don't overlap it.
void dequantize_q2_k(const std::byte* block, float* out) noexcept;
void dequantize_q3_k(const std::byte* block, float* out) noexcept;
void dequantize_q4_k(const std::byte* block, float* out) noexcept;
void dequantize_q5_k(const std::byte* block, float* out) noexcept;
void dequantize_q6_k(const std::byte* block, float* out) noexcept;

}  // namespace act::runtime
