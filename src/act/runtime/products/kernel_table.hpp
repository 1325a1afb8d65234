// The inner loops of products, compiled for several processors: which there are, and the best one that runs
// here. For product.hpp and the tests, which compare them all.
//
// A *panel* is some output features' weights in the order in which the inner loop reads them: word k of every
// feature, then word k + 1. A *word* is four bytes: a float, two bfloat16 or four bytes of eight bits, so
// that one loop serves all compute types.
#pragma once

#include <act/runtime/products/stored_matrix.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace act::runtime {

/// Activations as panels are multiplied with them; scales and sums of blocks for int8 only. Strides are a
/// row's.
struct activation_words {
  const std::uint32_t* words = nullptr;
  std::size_t stride = 0;
  const float *scales = nullptr, *sums = nullptr;
  std::size_t block_stride = 0;
};

/// Functions don't allocate, throw or start threads. Depths are in numbers; `first` is a multiple of 256.
struct product_kernels {
  const char* name;  ///< "avx512_bf16", ...
  /// Features of a panel.
  std::size_t panel_width;
  /// Rows of activations that are worth a panel; fewer go to `multiply_few`.
  std::size_t panel_worth_rows;

  /// Numbers [first, first + depth) of `count` <= panel_width rows, as floats. `panel` has panel_width x
  /// depth words; features behind `count` are 0.
  void (*expand_f32)(const stored_row* rows, std::size_t count, std::size_t first, std::size_t depth,
                     std::uint32_t* panel) noexcept;
  /// The same as pairs of bfloat16: panel_width x ceil(depth / 2) words.
  void (*expand_bf16)(const stored_row* rows, std::size_t count, std::size_t first, std::size_t depth,
                      std::uint32_t* panel) noexcept;
  /// The same as 8-bit numbers q of blocks of 32, a number being scale q + minimum: panel_width x 8 words a
  /// block. `scales` and `minima`: panel_width of each block, one block behind the other. The last block may
  /// be short.
  void (*expand_int8)(const stored_row* rows, std::size_t count, std::size_t first, std::size_t depth,
                      std::uint32_t* panel, float* scales, float* minima) noexcept;

  /// out[r][c] (+)= x[r] . panel[c] for `rows` rows and `columns` <= panel_width features. x has `x_stride`
  /// words a row. Each result is one chain of fused multiply-adds (of pairs) over ascending k, which goes on
  /// from `out` where `continued`: so it doesn't depend on how a product is cut into blocks.
  void (*multiply_f32)(const std::uint32_t* x, std::size_t x_stride, std::size_t rows,
                       const std::uint32_t* panel, std::size_t depth, float* out, std::size_t out_stride,
                       std::size_t columns, bool continued) noexcept;
  void (*multiply_bf16)(const std::uint32_t* x, std::size_t x_stride, std::size_t rows,
                        const std::uint32_t* panel, std::size_t depth, float* out, std::size_t out_stride,
                        std::size_t columns, bool continued) noexcept;
  /// `x_scales` and `x_sums` (a block's scale times the sum of its numbers): `block_stride` a row.
  void (*multiply_int8)(const std::uint32_t* x, std::size_t x_stride, const float* x_scales,
                        const float* x_sums, std::size_t block_stride, std::size_t rows,
                        const std::uint32_t* panel, const float* scales, const float* minima,
                        std::size_t depth, float* out, std::size_t out_stride, std::size_t columns,
                        bool continued) noexcept;

  /// Activations as words. `words`: ceil(depth / 2), or 8 x ceil(depth / 32), a row; behind the last number
  /// are zeros. `scales` and `sums`: one a block of 32.
  void (*convert_bf16)(const float* x, std::size_t depth, std::uint32_t* words) noexcept;
  void (*convert_int8)(const float* x, std::size_t depth, std::uint32_t* words, float* scales,
                       float* sums) noexcept;

  /// out[r][c] = x[r] . row c, for `count` stored rows of `depth` numbers and a few rows of activations, each
  /// weight being read once: what decoding does. Sums have one order, whatever `rows` and `count` are.
  void (*multiply_few)(const stored_row* weights, std::size_t count, std::size_t depth, const float* x,
                       std::size_t x_stride, std::size_t rows, float* out, std::size_t out_stride) noexcept;
  /// The same for fewer than panel_worth_rows rows, with activations in 8 bits where weights are stored in as
  /// few (`in_bytes`), and as floats elsewhere (`x`).
  void (*multiply_few_int8)(const stored_row* weights, std::size_t count, std::size_t depth, const float* x,
                            std::size_t x_stride, const activation_words& in_bytes, std::size_t rows,
                            float* out, std::size_t out_stride) noexcept;
};

/// Numbers [first, first + depth) of a row of any type, whole blocks: for types of which a kernel has no
/// decoder of its own (quantization.hpp).
void decode_elsewhere(const stored_row& row, std::size_t first, std::size_t depth, float* out) noexcept;

/// Those that this processor runs, the best one first; the last one is what the library as a whole is
/// compiled for.
[[nodiscard]] std::span<const product_kernels* const> runnable_kernels() noexcept;

/// The first of them, or the one that `use_kernels` chose.
[[nodiscard]] const product_kernels& kernels() noexcept;
/// Every later product uses these. For tests and measurements; not while products are running.
void use_kernels(const product_kernels& chosen) noexcept;

}  // namespace act::runtime
