// One source compiled with different flags into one program: what each such unit answers, and the data that
// they pass to each other.
#pragma once

#include <act/attention_view.hpp>
#include <act/calibrate.hpp>
#include <act/half.hpp>
#include <act/head_set.hpp>
#include <act/options.hpp>

#include <cstddef>

/// The doors of one unit.
struct flagged_unit {
  const char* name;
  bool with_openmp;
  bool with_exceptions;
  void (*set_thread_count)(std::size_t);
  std::size_t (*thread_count)();
  std::size_t (*threads_at_work)();  ///< how many a parallel_for of 64 short naps ran on
  const void* (*kernel)();           ///< where this unit's calibrate() for half maps lies
  void (*calibrate)(act::attention_span<act::bfloat16>, const act::layer_heads&,
                    const act::calibration_options&, act::calibration_workspace&, act::calibration_report&);
};
