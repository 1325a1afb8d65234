#include <act/parallel.hpp>
#include <act/statistics/moments.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace act::statistics {

moments::moments(std::size_t width) : sums_(width), products_(width * (width + 1) / 2) {}

void moments::add(const float* data, std::size_t rows, std::size_t stride) {
  // A few rows at a time stay in the second cache while every row of the triangle goes over them; four of
  // them at once, so that a sum is loaded and stored for four products.
  constexpr std::size_t together = 4, block_rows = 64;
  const std::size_t width = sums_.size();
  block_.resize(block_rows * width);
  for (std::size_t first = 0; first < rows; first += block_rows) {
    const std::size_t count = std::min(block_rows, rows - first);
    const std::size_t padded = (count + together - 1) / together * together;
    for (std::size_t row = 0; row < padded; ++row) {
      double* const to = block_.data() + row * width;
      if (row < count) {
        const float* const from = data + (first + row) * stride;
        for (std::size_t at = 0; at < width; ++at) {
          to[at] = static_cast<double>(from[at]);
          sums_[at] += to[at];
        }
      } else {
        std::fill_n(to, width, 0.0);
      }
    }
    parallel_for(width, [&](std::size_t at) noexcept {
      double* const sums = products_.data() + at * (at + 1) / 2;
      for (std::size_t row = 0; row < padded; row += together) {
        const double* const x0 = block_.data() + row * width;
        const double* const x1 = x0 + width;
        const double* const x2 = x1 + width;
        const double* const x3 = x2 + width;
        const double a0 = x0[at], a1 = x1[at], a2 = x2[at], a3 = x3[at];
        for (std::size_t other = 0; other <= at; ++other)
          sums[other] += a0 * x0[other] + a1 * x1[other] + a2 * x2[other] + a3 * x3[other];
      }
    });
    count_ += count;
  }
}

bool moments::finite() const noexcept {
  const auto number = [](double each) { return std::isfinite(each); };
  return std::all_of(sums_.begin(), sums_.end(), number) &&
         std::all_of(products_.begin(), products_.end(), number);
}

}  // namespace act::statistics
