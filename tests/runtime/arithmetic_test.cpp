// Products of small matrices: against sums in double precision, and on the thread that asks for them.
#include <doctest/doctest.h>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/matrix.hpp>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <random>

namespace {

using act::runtime::matrix;

matrix random_matrix(std::size_t rows, std::size_t cols, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> numbers(-1.0F, 1.0F);
  matrix made(rows, cols);
  for (std::size_t i = 0; i < rows; ++i) {
    for (float& each : made.row(i))
      each = numbers(random);
  }
  return made;
}

}  // namespace

TEST_CASE("products of small matrices are the sums they stand for") {
  const std::size_t rows = 19, inner = 33, cols = 7;
  const matrix a = random_matrix(rows, inner, 1), b = random_matrix(inner, cols, 2);
  matrix a_turned(inner, rows), b_turned(cols, inner);
  for (std::size_t k = 0; k < inner; ++k) {
    for (std::size_t i = 0; i < rows; ++i)
      a_turned(k, i) = a(i, k);
    for (std::size_t j = 0; j < cols; ++j)
      b_turned(j, k) = b(k, j);
  }
  matrix turned(rows, cols), sum = random_matrix(rows, cols, 3), sum_turned = sum;
  const matrix before = sum;
  act::runtime::multiply_turned(a, b_turned, turned);
  act::runtime::add_product(a, b, sum);
  act::runtime::add_turned_product(a_turned, b, sum_turned);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      double exact = 0;
      for (std::size_t k = 0; k < inner; ++k)
        exact += static_cast<double>(a(i, k)) * static_cast<double>(b(k, j));
      CHECK(std::fabs(static_cast<double>(turned(i, j)) - exact) < 1e-5);
      CHECK(std::fabs(static_cast<double>(sum(i, j) - before(i, j)) - exact) < 1e-5);
      CHECK(sum_turned(i, j) == doctest::Approx(sum(i, j)).epsilon(1e-5));
    }
  }
}

TEST_CASE("a product runs on the thread that asks for it") {
  const std::filesystem::path tasks = "/proc/self/task";
  if (!std::filesystem::exists(tasks)) {
    MESSAGE("[skipped] no /proc to count threads in");
    return;
  }
  const auto threads = [&] {
    return std::distance(std::filesystem::directory_iterator(tasks), std::filesystem::directory_iterator());
  };
  const auto before = threads();
  const matrix a = random_matrix(384, 384, 1), b = random_matrix(384, 384, 2);
  matrix out(384, 384);
  act::runtime::multiply_turned(a, b, out);
  act::runtime::add_product(a, b, out);
  act::runtime::add_turned_product(a, b, out);
  CHECK(threads() == before);
}
