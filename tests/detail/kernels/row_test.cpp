// The SIMD row kernel against the scalar one, at every tail length and at odd addresses.
#include <act/detail/kernels/row_scalar.hpp>
#include <act/detail/kernels/row_simd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "random/random_numbers.hpp"

namespace {

template <class T>
using kernel = act::detail::row_kernel<T, act::simd::default_arch>;
template <class T>
using oracle = act::detail::row_scalar<T>;

constexpr std::size_t longest =
    4 * 16 * 8 + 17;  // over four batches of the widest set, and over its sum's tree

/// The bounds that row_simd.hpp states.
template <class T>
constexpr double row_bound = sizeof(T) == 4 ? 10 * 0x1p-24 : 1e-10;
template <class T>
constexpr double column_bound = sizeof(T) == 4 ? 3 * 0x1p-24 : 1e-10;

template <class T>
std::vector<T> weights(std::size_t count, unsigned seed) {
  act_test::random_numbers random(seed);
  std::vector<T> values(count);
  for (T& each : values)
    each = static_cast<T>(std::exp(-20 * random.uniform()));
  return values;
}

}  // namespace

TEST_CASE_TEMPLATE("sums stay within the stated bound", T, float, double) {
  double worst = 0;
  for (std::size_t count = 0; count <= longest; ++count) {
    const std::vector<T> row = weights<T>(count + 1, static_cast<unsigned>(count));
    const double expected = oracle<T>::sum(row.data() + 1, count);
    const double got = kernel<T>::sum(row.data() + 1, count);
    if (expected > 0) worst = std::max(worst, std::abs(got - expected) / expected);
    CHECK(std::abs(got - expected) <= row_bound<T> * expected);
  }
  MESSAGE("largest relative error of a sum: " << worst);
}

TEST_CASE_TEMPLATE("a long row of equal weights doesn't drift", T, float, double) {
  const std::vector<T> row(1 << 20, static_cast<T>(0.1));
  const double expected = static_cast<double>(static_cast<T>(0.1)) * (1 << 20);
  CHECK(std::abs(kernel<T>::sum(row.data(), row.size()) - expected) <= row_bound<T> * expected);
  std::vector<double> sums(1, 0.0);
  kernel<T>::add_columns(row.data(), 1, row.size(), 1, sums.data());
  CHECK(std::abs(sums[0] - expected) <= column_bound<T> * expected);
}

TEST_CASE_TEMPLATE("scaling is the scalar kernel's to the bit", T, float, double) {
  for (std::size_t count = 0; count <= 4 * 16 + 1; ++count) {
    std::vector<T> expected = weights<T>(count + 2, static_cast<unsigned>(count));
    std::vector<T> got = expected;
    oracle<T>::scale(expected.data() + 1, count, static_cast<T>(1.37));
    kernel<T>::scale(got.data() + 1, count, static_cast<T>(1.37));
    CHECK(got == expected);
  }
}

TEST_CASE_TEMPLATE("column sums stay within the stated bound", T, float, double) {
  for (std::size_t rows = 0; rows <= 19; ++rows) {
    for (std::size_t columns = 0; columns <= 4 * 16 + 1; ++columns) {
      const std::size_t stride = columns + 3;
      const std::vector<T> map = weights<T>(rows * stride + 1, static_cast<unsigned>(columns));
      std::vector<double> expected(columns, 0.25), got(columns, 0.25);
      oracle<T>::add_columns(map.data() + 1, stride, rows, columns, expected.data());
      kernel<T>::add_columns(map.data() + 1, stride, rows, columns, got.data());
      for (std::size_t j = 0; j < columns; ++j)
        CHECK(std::abs(got[j] - expected[j]) <= column_bound<T> * expected[j]);
    }
  }
}
