// The units in which errors are bounded: the roundoff of what an element type stores, and of what is computed
// for it.
#pragma once

#include <act/half.hpp>

namespace act_test {

template <class T>
struct rounding;  // outputs below `least` lack digits, or the weights they are made of do
template <>
struct rounding<double> {
  static constexpr const char* name = "double";
  static constexpr double stored = 0x1p-53, computed = 0x1p-53, least = 0x1p-969;
};
template <>
struct rounding<float> {
  static constexpr const char* name = "float";
  static constexpr double stored = 0x1p-24, computed = 0x1p-24, least = 0x1p-102;
};
template <>
struct rounding<act::float16> {
  static constexpr const char* name = "float16";
  static constexpr double stored = 0x1p-11, computed = 0x1p-24, least = 0x1p-14;
};
template <>
struct rounding<act::bfloat16> {
  static constexpr const char* name = "bfloat16";
  static constexpr double stored = 0x1p-8, computed = 0x1p-24, least = 0x1p-118;
};

}  // namespace act_test
