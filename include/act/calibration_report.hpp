// What a call that calibrates did: the sinks of each chosen head, and the mass it moved. For those who log,
// compare or decide; calibrate.hpp, calibrated_attention.hpp and correct_output.hpp fill it.
#pragma once

#include <act/sink.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <vector>

namespace act::inline ACT_ABI {

/// What happened to one head.
struct head_report {
  std::size_t batch = 0;    ///< batch entry, from 0
  std::size_t head = 0;     ///< head of the layer, from 0
  std::vector<sink> sinks;  ///< ascending by position; empty when the head was left alone
  double moved_mass =
      0;  ///< sum over rows of what some keys lost to others; (1 - beta) * mass on sinks as a rule
};

/// One entry for each chosen head, by batch entry, then head. Used again for maps of no more keys and heads
/// it takes no memory: every list of sinks has room for all keys (16 bytes each, untouched until there are
/// so many sinks).
struct calibration_report {
  std::vector<head_report> heads;  ///< by batch entry, then head
};

}  // namespace act::inline ACT_ABI
