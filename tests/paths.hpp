// The kernels that every property of the core is tested on: each element type with each instruction set.
#pragma once

#include <act/detail/kernels/simd.hpp>
#include <act/element.hpp>

namespace act_test {

template <class T, class Arch>
struct path {
  using element = T;
  using arch = Arch;
  /// Largest difference from the double oracle that one weight may have: the rounding of the stored input and
  /// of one factor and one product (weights are at most 1).
  static constexpr double tolerance = sizeof(T) == 8 ? 1e-13 : 4e-7;
};

using float_simd = path<float, act::simd::default_arch>;
using float_scalar = path<float, act::simd::scalar>;
using double_simd = path<double, act::simd::default_arch>;
using double_scalar = path<double, act::simd::scalar>;

}  // namespace act_test

#define ACT_TEST_PATHS \
  ::act_test::float_simd, ::act_test::float_scalar, ::act_test::double_simd, ::act_test::double_scalar
