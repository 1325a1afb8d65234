// ggml's IQ4 types to float: four bits a number, which pick one of 16 unevenly spaced values. For
// `dequantize` (quantization.hpp), which says what their values equal. Layouts: ggml's block_iq4_nl and
// block_iq4_xs; block_bytes (tensor_type.hpp) has their sizes.
#pragma once

#include <cstddef>

namespace act::runtime {

/// Converts one block of 32 numbers at `block`, at any alignment, to floats at `out`, which don't overlap it.
void dequantize_iq4_nl(const std::byte* block, float* out) noexcept;
/// As above for a block of 256 numbers, whose eight groups have scales of their own.
void dequantize_iq4_xs(const std::byte* block, float* out) noexcept;

}  // namespace act::runtime
