#include "two_units/two_units.hpp"
#include "two_units/work.hpp"

std::vector<float> calibrated_by_avx512(unsigned seed) {
  return calibrated_here(seed);
}
std::string avx512_arch() {
  return typeid(act::simd::default_arch).name();
}
