// Sums of products of numbers that come by a row at a time: all that least squares asks of data, in memory
// that doesn't grow with it. For linear_prediction.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace act::statistics {

/// Count, sums and sums of products of rows of `width` numbers, in double. Memory: 4 width (width + 1) bytes
/// and 8 width. Two of the same width with the same rows are equal to the bit, whatever the number of
/// threads.
class moments {
 public:
  explicit moments(std::size_t width);

  [[nodiscard]] static std::uint64_t bytes(std::size_t width) noexcept {
    return 4 * static_cast<std::uint64_t>(width) * (width + 1) + 8 * static_cast<std::uint64_t>(width);
  }

  /// Adds `rows` rows: number c of row r is `data[r * stride + c]`. Cost: width^2 / 2 multiply-adds a row, on
  /// all threads.
  void add(const float* data, std::size_t rows, std::size_t stride);

  [[nodiscard]] std::size_t width() const noexcept { return sums_.size(); }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] double mean(std::size_t at) const noexcept { return sums_[at] / static_cast<double>(count_); }
  /// The sum of (a - from_a) (b - from_b), number `from_a` being taken off number a of every row.
  [[nodiscard]] double product(std::size_t a, std::size_t b, double from_a, double from_b) const noexcept {
    const double raw = a >= b ? products_[a * (a + 1) / 2 + b] : products_[b * (b + 1) / 2 + a];
    return raw - from_a * sums_[b] - from_b * sums_[a] + static_cast<double>(count_) * from_a * from_b;
  }
  /// The same about the means: `count` times the covariance.
  [[nodiscard]] double centred(std::size_t a, std::size_t b) const noexcept {
    return product(a, b, mean(a), mean(b));
  }
  /// Whether every sum is a number.
  [[nodiscard]] bool finite() const noexcept;

 private:
  std::size_t count_ = 0;
  std::vector<double> sums_;
  std::vector<double> products_;  // the lower triangle, row by row
  std::vector<double> block_;     // rows being added
};

}  // namespace act::statistics
