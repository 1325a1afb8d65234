// Stored tensors to float: plain, half and bfloat16 numbers, ggml's 32-number blocks (quantization.cpp,
// iq4_quants.hpp) and its K-quants (k_quants.hpp). For the model loader, which calls it on ranges of rows
// from many threads. It doesn't quantise. Values equal those of the Python package `gguf` bit for bit (ggml's
// own order of operations), NaN from infinite scales aside, which are NaN in both: a scale is a half with 11
// significant bits, and the integers it is multiplied with, group scale and number, have at most 12 between
// them, so their product is exact in float, and a fused multiply-add, where a compiler makes one, rounds no
// differently.
#pragma once

#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <bit>
#include <cstddef>
#include <span>

namespace act::runtime {

static_assert(
    std::endian::native == std::endian::little,
    "model files are little-endian and are read in place; act's runtime has no byte-swapping build");

/// Converts whole blocks. `out.size()` is a multiple of `block_elements(type)`, and `blocks` holds exactly
/// its storage (`storage_bytes`); both are preconditions. Any alignment of `blocks`. Stateless: call it from
/// any thread, on any range of whole blocks. Cost: one pass over both, no allocation.
void dequantize(tensor_type type, std::span<const std::byte> blocks, std::span<float> out) noexcept;

/// Converts rows [first, first + out.size() / columns) of a tensor; `out` holds whole rows that exist
/// (preconditions).
void dequantize_rows(const tensor_view& tensor, std::size_t first, std::span<float> out) noexcept;

}  // namespace act::runtime
