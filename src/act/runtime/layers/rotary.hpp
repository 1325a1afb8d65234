// Rotary position embedding (RoPE): queries and keys are rotated by an angle that grows with their position.
#pragma once

#include <act/runtime/layers/matrix.hpp>
#include <cmath>
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
};

/// Cosines and sines for a list of positions: made once a batch, used by every layer.
class rotary_table {
 public:
  rotary_table() = default;

  /// Positions are absolute, counted from 0. Angles are formed in float, as PyTorch does, so that long
  /// prompts agree.
  rotary_table(const rotary_options& options, std::span<const std::uint32_t> positions) : options_(options) {
    const std::size_t half = options.dims / 2;
    cosine_.resize(positions.size() * half);
    sine_.resize(positions.size() * half);
    std::vector<float> frequency(half);
    for (std::size_t i = 0; i < half; ++i) {
      const float exponent = static_cast<float>(2 * i) / static_cast<float>(options.dims);
      frequency[i] = 1.0F / std::pow(options.theta, exponent);
    }
    for (std::size_t row = 0; row < positions.size(); ++row) {
      for (std::size_t i = 0; i < half; ++i) {
        const double angle = static_cast<float>(positions[row]) * frequency[i];
        cosine_[row * half + i] = static_cast<float>(std::cos(angle));
        sine_[row * half + i] = static_cast<float>(std::sin(angle));
      }
    }
  }

  /// Rotates heads in place. x is [rows, heads * head_size]; row r of x stands at the r-th position of the
  /// constructor, or at position `rows_at[r]` of that list if given.
  void rotate(matrix_ref x, std::size_t heads, std::size_t head_size,
              std::span<const std::uint32_t> rows_at = {}) const {
    const std::size_t half = options_.dims / 2;
    if (half == 0) return;
    const bool interleaved = options_.pairing == rotary_pairing::interleaved;
    const std::size_t step = interleaved ? 2 : 1;
    const std::size_t partner = interleaved ? 1 : half;
    for (Eigen::Index row = 0; row < x.rows(); ++row) {
      const std::size_t at = rows_at.empty() ? extent(row) : rows_at[extent(row)];
      const float* cosine = cosine_.data() + at * half;
      const float* sine = sine_.data() + at * half;
      for (std::size_t head = 0; head < heads; ++head) {
        float* values = &x(row, index(head * head_size));
        for (std::size_t i = 0; i < half; ++i) {
          const float a = values[i * step];
          const float b = values[i * step + partner];
          values[i * step] = a * cosine[i] - b * sine[i];
          values[i * step + partner] = b * cosine[i] + a * sine[i];
        }
      }
    }
  }

 private:
  rotary_options options_;
  std::vector<float> cosine_;  // [positions, dims / 2]
  std::vector<float> sine_;
};

}  // namespace act::runtime
