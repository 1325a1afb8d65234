#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/layers/rotary.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace act::runtime {

std::vector<float> rotary_frequencies(float theta, std::size_t dims) {
  std::vector<float> frequencies(dims / 2);
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(dims);
    frequencies[i] = 1.0F / std::pow(theta, exponent);
  }
  return frequencies;
}

rotary_table::rotary_table(const rotary_options& options, std::span<const std::uint32_t> positions)
    : options_(options) {
  const std::size_t half = options.dims / 2;
  cosine_.resize(positions.size() * half);
  sine_.resize(positions.size() * half);
  const std::vector<float> frequency =
      options.frequencies.empty() ? rotary_frequencies(options.theta, options.dims) : options.frequencies;
  for (std::size_t row = 0; row < positions.size(); ++row) {
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = static_cast<float>(positions[row]) * frequency[i];
      cosine_[row * half + i] = static_cast<float>(std::cos(angle)) * options.magnitude;
      sine_[row * half + i] = static_cast<float>(std::sin(angle)) * options.magnitude;
    }
  }
}

void rotary_table::rotate(matrix_ref x, std::size_t heads, std::size_t head_size,
                          std::span<const std::uint32_t> rows_at) const {
  turn(x, heads, head_size, rows_at, 1.0F);
}

void rotary_table::rotate_back(matrix_ref x, std::size_t heads, std::size_t head_size) const {
  turn(x, heads, head_size, {}, -1.0F);
}

// `sign` of the angles.
void rotary_table::turn(matrix_ref x, std::size_t heads, std::size_t head_size,
                        std::span<const std::uint32_t> rows_at, float sign) const {
  const std::size_t half = options_.dims / 2;
  if (half == 0) return;
  const bool interleaved = options_.pairing == rotary_pairing::interleaved;
  const std::size_t step = interleaved ? 2 : 1;
  const std::size_t partner = interleaved ? 1 : half;
  for (std::size_t row = 0; row < x.rows(); ++row) {
    const std::size_t at = rows_at.empty() ? row : rows_at[row];
    const float* cosine = cosine_.data() + at * half;
    const float* sine = sine_.data() + at * half;
    for (std::size_t head = 0; head < heads; ++head) {
      float* values = &x(row, head * head_size);
      for (std::size_t i = 0; i < half; ++i) {
        const float a = values[i * step];
        const float b = values[i * step + partner];
        values[i * step] = a * cosine[i] - b * (sign * sine[i]);
        values[i * step + partner] = b * cosine[i] + a * (sign * sine[i]);
      }
    }
  }
}

rotary_tables::rotary_tables(std::span<const rotary_options> options,
                             std::span<const std::uint32_t> positions) {
  tables_.reserve(options.size());
  for (const rotary_options& each : options)
    tables_.emplace_back(each, positions);
}

void rotary_tables::rotate(std::size_t which, matrix_ref x, std::size_t heads, std::size_t head_size,
                           std::span<const std::uint32_t> rows_at) const {
  if (which < tables_.size()) tables_[which].rotate(x, heads, head_size, rows_at);
}

void rotary_tables::rotate_back(std::size_t which, matrix_ref x, std::size_t heads,
                                std::size_t head_size) const {
  if (which < tables_.size()) tables_[which].rotate_back(x, heads, head_size);
}

}  // namespace act::runtime
