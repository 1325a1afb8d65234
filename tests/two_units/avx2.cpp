#include "two_units/two_units.hpp"
#include "two_units/work.hpp"

std::vector<float> calibrated_by_avx2(unsigned seed) {
  return calibrated_here(seed);
}
std::string avx2_arch() {
  return typeid(act::simd::default_arch).name();
}
