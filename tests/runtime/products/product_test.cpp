// Products against double precision, for every set of kernels that this processor runs, every stored type and
// every number of rows, features and inputs that ends somewhere in a tile, a panel or a block.
#include <act/parallel.hpp>
#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/products/kernel_table.hpp>
#include <act/runtime/products/product.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "runtime/products/stored_numbers.hpp"

namespace {

using act::runtime::compute_type;
using act::runtime::product_kernels;
using act::runtime::stored_matrix;
using act::runtime::tensor_type;

// The kernels of one test, and afterwards those that were in use before.
struct with_kernels {
  explicit with_kernels(const product_kernels& of) { act::runtime::use_kernels(of); }
  ~with_kernels() { act::runtime::use_kernels(*act::runtime::runnable_kernels().front()); }
  with_kernels(const with_kernels&) = delete;
  with_kernels& operator=(const with_kernels&) = delete;
};

std::vector<float> random_rows(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(count);
  for (float& each : x)
    each = normal(random) * (random() % 50 == 0 ? 20.0F : 1.0F);  // some stand out, as activations do
  return x;
}

double bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<double>(std::bit_cast<float>((bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u));
}

// What one result may be: the exact sum of the factors as `compute` has them, and how far rounding may go.
struct expected_result {
  double value = 0, bound = 0;
};

expected_result expect(const float* x, const float* w, std::size_t depth, compute_type compute) {
  expected_result result;
  double magnitude = 0;
  for (std::size_t k = 0; k < depth; ++k) {
    const bool rounds = compute == compute_type::bf16;
    const double a = rounds ? bf16(x[k]) : static_cast<double>(x[k]);
    const double b = rounds ? bf16(w[k]) : static_cast<double>(w[k]);
    result.value += a * b;
    magnitude += std::abs(a * b);
  }
  // Each of depth additions and multiplications rounds by half a unit.
  result.bound = (static_cast<double>(depth) + 4) * std::ldexp(magnitude, -23) + 1e-30;
  if (compute != compute_type::int8) return result;
  for (std::size_t from = 0; from < depth; from += 32) {
    const std::size_t end = std::min(from + 32, depth);
    double most_x = 0, most_w = end - from < 32 ? 0.0 : -1e30, least_w = end - from < 32 ? 0.0 : 1e30;
    for (std::size_t k = from; k < end; ++k) {
      most_x = std::max(most_x, static_cast<double>(std::abs(x[k])));
      most_w = std::max(most_w, static_cast<double>(w[k]));
      least_w = std::min(least_w, static_cast<double>(w[k]));
    }
    // Half a step of each factor, and what float arithmetic loses in between.
    const double step_x = most_x / 127 * 0.5001, step_w = (most_w - least_w) / 255 * 0.5001;
    for (std::size_t k = from; k < end; ++k) {
      result.bound += step_x * std::abs(static_cast<double>(w[k])) +
                      step_w * std::abs(static_cast<double>(x[k])) + step_x * step_w +
                      1e-5 * most_x * std::max(std::abs(most_w), std::abs(least_w));
    }
  }
  return result;
}

bool stored_in_few_bits(tensor_type type) {
  switch (type) {
    case tensor_type::q8_0:
    case tensor_type::q4_0:
    case tensor_type::q4_1:
    case tensor_type::q5_0:
    case tensor_type::q5_1:
    case tensor_type::q4_k:
    case tensor_type::q5_k:
    case tensor_type::q6_k:
      return true;
    default:
      return false;
  }
}

struct shape {
  std::size_t rows, features, depth;
};

void check_product(const stored::numbers& w, const shape& of, compute_type compute) {
  const std::size_t x_stride = of.depth + 3, out_stride = of.features + 2;
  const std::vector<float> x = random_rows(of.rows * x_stride, static_cast<unsigned>(of.rows));
  std::vector<float> out(of.rows * out_stride, -77.0F);
  const stored_matrix weights(w.view());
  act::runtime::multiply({x.data(), of.rows, x_stride}, weights, 0, of.features, compute,
                         {out.data(), of.rows, out_stride});
  // A few rows: in 8 bits where weights are, and as they come elsewhere.
  const bool few = of.rows < act::runtime::kernels().panel_worth_rows;
  const bool few_bits = compute == compute_type::int8 && stored_in_few_bits(w.type);
  const compute_type by = few && !few_bits ? compute_type::f32 : compute;
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < of.rows; ++r) {
    for (std::size_t n = 0; n < of.features; ++n) {
      const expected_result expected =
          expect(x.data() + r * x_stride, w.expanded.data() + n * of.depth, of.depth, by);
      const double got = static_cast<double>(out[r * out_stride + n]);
      if (!(std::abs(got - expected.value) <= expected.bound)) {
        if (wrong++ == 0)
          CHECK_MESSAGE(false, r, ", ", n, ": ", got, " for ", expected.value, " +- ", expected.bound);
      }
    }
    CHECK(out[r * out_stride + of.features] == -77.0F);  // nothing behind a row is written
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("products equal double precision: every type, every compute type, every set of kernels") {
  for (const product_kernels* each : act::runtime::runnable_kernels()) {
    const with_kernels use(*each);
    CAPTURE(each->name);
    for (const tensor_type type : stored::every_type) {
      CAPTURE(act::runtime::name_of(type));
      // More than a stretch (256), more than a block (512), not a whole number of vectors where a type allows
      // it.
      const std::size_t block = act::runtime::block_elements(type);
      const std::size_t depth = block == 1 ? 557 : block == 32 ? 608 : 768;
      const stored::numbers w(type, 101, depth, static_cast<unsigned>(type));
      for (const compute_type compute : act::runtime::compute_types) {
        CAPTURE(act::runtime::name_of(compute));
        for (const std::size_t rows : {1U, 2U, 3U, 4U, 7U, 29U})
          check_product(w, {rows, 101, depth}, compute);
      }
    }
  }
}

TEST_CASE("products equal double precision at every number of rows, features and inputs") {
  for (const product_kernels* each : act::runtime::runnable_kernels()) {
    const with_kernels use(*each);
    CAPTURE(each->name);
    for (const compute_type compute : act::runtime::compute_types) {
      CAPTURE(act::runtime::name_of(compute));
      for (std::size_t size = 1; size <= 70; ++size) {
        CAPTURE(size);
        check_product(stored::numbers(tensor_type::f32, size, 33, 1), {7, size, 33}, compute);
        check_product(stored::numbers(tensor_type::f16, 35, size, 2), {6, 35, size}, compute);
        check_product(stored::numbers(tensor_type::f16, 9, size, 3), {2, 9, size}, compute);
        check_product(stored::numbers(tensor_type::q4_1, 33, 64, 4), {size, 33, 64}, compute);
      }
    }
  }
}

TEST_CASE("a panel holds what dequantize makes, to the bit") {
  for (const product_kernels* each : act::runtime::runnable_kernels()) {
    CAPTURE(each->name);
    for (const tensor_type type : stored::every_type) {
      CAPTURE(act::runtime::name_of(type));
      const std::size_t depth = act::runtime::block_elements(type) == 1 ? 301 : 512;
      const std::size_t rows = each->panel_width - 1;
      const stored::numbers w(type, rows, depth, 9);
      const stored_matrix matrix(w.view());
      std::vector<act::runtime::stored_row> of;
      for (std::size_t i = 0; i < rows; ++i)
        of.push_back(matrix.row(i));
      std::vector<std::uint32_t> panel(each->panel_width * depth, 1);
      each->expand_f32(of.data(), rows, 0, depth, panel.data());
      std::size_t wrong = 0;
      for (std::size_t n = 0; n < each->panel_width; ++n) {
        for (std::size_t k = 0; k < depth; ++k) {
          const float expected = n < rows ? w.expanded[n * depth + k] : 0.0F;
          wrong += std::bit_cast<float>(panel[k * each->panel_width + n]) != expected ? 1U : 0U;
        }
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("a row's product doesn't depend on the number of threads, nor on the rows beside it") {
  const std::size_t depth = 1056, features = 1200, rows = 47;
  const stored::numbers w(tensor_type::q5_1, features, depth, 5);
  const stored_matrix weights(w.view());
  const std::vector<float> x = random_rows(rows * depth, 11);
  const auto product = [&](std::size_t first, std::size_t count, compute_type compute) {
    std::vector<float> out(count * features);
    act::runtime::multiply({x.data() + first * depth, count, depth}, weights, 0, features, compute,
                           {out.data(), count, features});
    return out;
  };
  for (const product_kernels* each : act::runtime::runnable_kernels()) {
    const with_kernels use(*each);
    CAPTURE(each->name);
    for (const compute_type compute : act::runtime::compute_types) {
      act::set_thread_count(1);
      const std::vector<float> alone = product(0, rows, compute), one = product(13, 1, compute);
      act::set_thread_count(5);
      CHECK(product(0, rows, compute) == alone);
      CHECK(product(13, 1, compute) == one);
      for (std::size_t count = each->panel_worth_rows; count < 20; ++count) {
        const std::vector<float> some = product(13, count, compute);
        CHECK(std::equal(some.begin(), some.end(), alone.begin() + 13 * features));
      }
      const std::vector<float> three = product(12, 3, compute);
      CHECK(std::equal(one.begin(), one.end(), three.begin() + features));
      act::set_thread_count(0);
    }
  }
}

TEST_CASE("a product with some of the features is that part of the whole product") {
  const stored::numbers w(tensor_type::q8_0, 300, 64, 6);
  const stored_matrix weights(w.view());
  for (const std::size_t rows : {2U, 9U}) {
    const std::vector<float> x = random_rows(rows * 64, 3);
    std::vector<float> whole(rows * 300), part(rows * 130);
    act::runtime::multiply({x.data(), rows, 64}, weights, 0, 300, compute_type::f32,
                           {whole.data(), rows, 300});
    act::runtime::multiply({x.data(), rows, 64}, weights, 101, 130, compute_type::f32,
                           {part.data(), rows, 130});
    for (std::size_t r = 0; r < rows; ++r)
      CHECK(std::equal(part.begin() + static_cast<std::ptrdiff_t>(r * 130),
                       part.begin() + static_cast<std::ptrdiff_t>((r + 1) * 130),
                       whole.begin() + static_cast<std::ptrdiff_t>(r * 300 + 101)));
  }
}
