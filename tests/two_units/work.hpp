// What every unit of two_units compiles: calibration of a random map by the unit's default instruction set.
#pragma once

#include <act/calibrate.hpp>

#include <typeinfo>
#include <vector>

#include "random/random_map.hpp"

namespace {

inline std::vector<float> calibrated_here(unsigned seed) {
  act_test::random_map<float> map({.heads = 2, .queries = 75, .keys = 75}, seed);
  act::calibrate(map.span(), act::layer_heads::all());
  return map.elements();
}

}  // namespace
