// Rotary position embedding (RoPE): queries and keys are rotated by an angle that grows with their position.
#pragma once

#include <act/runtime/layers/matrix.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace act::runtime {

/// Which two numbers of a head form the pair that is rotated.
enum class rotary_pairing {
  halves,       ///< i and i + dims/2 (Hugging Face Llama, GPT-NeoX)
  interleaved,  ///< 2i and 2i + 1 (GPT-J; GGUF files of the Llama family, whose Q and K rows are permuted for
                ///< it)
};

struct rotary_options {
  rotary_pairing pairing = rotary_pairing::halves;
  std::size_t dims = 0;  ///< how many of a head's leading numbers are rotated; even; 0 = no rotary embedding
  float theta = 10000.0F;  ///< base of the frequencies
  /// Radians a position of each pair, dims / 2 of them; empty: theta^(-2 i / dims), unscaled.
  std::vector<float> frequencies = {};
  float magnitude = 1.0F;  ///< multiplies every cosine and sine (YaRN, LongRoPE)
};

/// theta^(-2 i / dims) for i in [0, dims / 2): the frequencies before any scaling, formed in float as PyTorch
/// does.
[[nodiscard]] std::vector<float> rotary_frequencies(float theta, std::size_t dims);

/// Cosines and sines for a list of positions: made once a batch, used by every layer.
class rotary_table {
 public:
  rotary_table() = default;

  /// Positions are absolute, counted from 0. Angles are formed in float, as PyTorch does, so that long
  /// prompts agree.
  rotary_table(const rotary_options& options, std::span<const std::uint32_t> positions);

  /// Rotates heads in place. x is [rows, heads * head_size]; row r of x stands at the r-th position of the
  /// constructor, or at position `rows_at[r]` of that list if given.
  void rotate(matrix_ref x, std::size_t heads, std::size_t head_size,
              std::span<const std::uint32_t> rows_at = {}) const;
  /// From the gradient with regard to rotated heads to that with regard to heads before, in place: the
  /// transposed rotation. Rows are those of the constructor.
  void rotate_back(matrix_ref x, std::size_t heads, std::size_t head_size) const;

 private:
  void turn(matrix_ref x, std::size_t heads, std::size_t head_size, std::span<const std::uint32_t> rows_at,
            float sign) const;

  rotary_options options_;
  std::vector<float> cosine_;  // [positions, dims / 2]
  std::vector<float> sine_;
};

/// The tables of a model's rotary embeddings (most have one, Gemma 3 has two) for a list of positions.
class rotary_tables {
 public:
  rotary_tables(std::span<const rotary_options> options, std::span<const std::uint32_t> positions);

  /// As rotary_table::rotate by the table with number `which`; nothing for a model without rotary positions.
  void rotate(std::size_t which, matrix_ref x, std::size_t heads, std::size_t head_size,
              std::span<const std::uint32_t> rows_at = {}) const;
  /// As rotary_table::rotate_back.
  void rotate_back(std::size_t which, matrix_ref x, std::size_t heads, std::size_t head_size) const;

 private:
  std::vector<rotary_table> tables_;
};

}  // namespace act::runtime
