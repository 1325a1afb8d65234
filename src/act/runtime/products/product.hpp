// out = x W^T with weights as the checkpoint stores them: the one matrix product of the runtime.
//
// Weights are expanded where they are needed: a panel of features at a time into a cache (many rows of
// activations), or in registers (a few rows). Nothing of a model's size is kept but the file's own bytes.
#pragma once

#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <cstddef>

namespace act::runtime {

/// Rows of numbers, `stride` apart.
template <class T>
struct product_rows {
  T* data;
  std::size_t rows, stride;
};

/// Multiplications that are worth waking threads for. Below (a token or two of a small model) a product takes
/// as long as threads take to meet, and many times less where other processes keep a core busy.
inline constexpr std::size_t product_worth_threads = std::size_t{1} << 18;

/// out = x W^T for features [first, first + count) of `weights`: x has weights.columns() numbers a row, out
/// `count`. They must not overlap. For a few rows (up to four), where reading the weights is the work,
/// factors are float32 with bf16 too, and with int8 where weights are stored in more than 8 bits. A result
/// doesn't depend on the number of threads, nor, for more than a few rows, on which other rows there are.
/// Preconditions: the features exist, x and out have equally many rows. Allocates only buffers of its
/// threads, which they keep: up to 256 KiB each, and for bf16 and int8 one of the calling thread as large as
/// that form of x. Cost: 2 rows count columns() operations and an expansion of the features' weights for each
/// 1,024 rows.
void multiply(product_rows<const float> x, const stored_matrix& weights, std::size_t first, std::size_t count,
              compute_type compute, product_rows<float> out);

}  // namespace act::runtime
