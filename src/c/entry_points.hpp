// What the library calls, whichever instruction set does the work: the functions of one translation unit.
// Seen by units with different -m flags, so it has declarations only, and of act no more than plain data.
#pragma once

#include <act/c.h>
#include <act/error.hpp>
#include <act/executor.hpp>
#include <act/head_set.hpp>
#include <act/status.hpp>

#include <cstddef>

/// act.h's handle of heads.
struct act_heads {
  act::layer_heads heads;
};

/// act.h's handle of trackers: the unit's own kind of object.
struct act_trackers {
  void* state;
};

namespace act_c {

/// A map with what act.h leaves to pointers and defaults.
struct map_arguments {
  act_map map;
  act_visibility visible;
  const act::layer_heads* heads;
  act_options options;
  double* carried_sums;
};

/// Attention's. `plain` may have no data.
struct attention_arguments {
  act_tensor q, k, v, out, plain;
  const act::layer_heads* heads;
  act_options options;
  act_attention attention;
  act_visibility visible;
  double* carried_sums;
  const void* log_sum_exp;
  const double* scores;
};

/// A call's memory, threads and report.
struct call_arguments {
  act_context context;
  act::executor run_on;
  act::problem* refused;
};

enum class attention_form { calibrated, corrected, decoding };

/// Functions answer as act.h's do. Where it says so they throw std::bad_alloc.
struct entry_points {
  const char* name;
  bool (*runs_here)();  ///< has this processor what the unit is compiled for?
  void (*set_thread_count)(std::size_t);

  act::status (*calibrate)(const map_arguments&, const call_arguments&);
  std::size_t (*calibrate_workspace)(const map_arguments&);
  act::status (*attend)(attention_form, const attention_arguments&, act_trackers*, const call_arguments&);
  std::size_t (*attend_workspace)(attention_form, const attention_arguments&, const act::executor&);

  act::status (*trackers_create)(const act_options&, std::size_t count, act_trackers& made,
                                 act::problem& refused);                // throws
  void (*trackers_copy)(const act_trackers& from, act_trackers& made);  // throws
  void (*trackers_destroy)(act_trackers&);
  std::size_t (*trackers_count)(const act_trackers&);
  void (*trackers_reserve)(act_trackers&, std::size_t keys);  // throws
  act::status (*trackers_start)(act_trackers&, std::size_t number, const double* sums, std::size_t keys,
                                const act_visibility& visible, std::size_t batches, std::size_t batch,
                                std::size_t queries, act::problem& refused);  // throws
  act::status (*trackers_calibrate_row)(act_trackers&, std::size_t number, act_type, void* row,
                                        std::size_t keys, std::size_t seen_begin, double* moved_mass,
                                        act::problem& refused);  // throws
  act::status (*trackers_retract)(act_trackers&, std::size_t number, act_type, const void* row,
                                  std::size_t keys, std::size_t seen_begin, act::problem& refused);  // throws
  act::status (*trackers_evict)(act_trackers&, std::size_t number, std::size_t begin, std::size_t end,
                                act::problem& refused);  // throws
  std::size_t (*trackers_keys)(const act_trackers&, std::size_t number);
  std::size_t (*trackers_sinks)(const act_trackers&, std::size_t number, std::size_t* positions,
                                std::size_t room);
  double (*trackers_score)(const act_trackers&, std::size_t number, std::size_t slot);
  std::size_t (*trackers_save)(const act_trackers&, std::size_t number, void* bytes,
                               std::size_t room);                                                  // throws
  bool (*trackers_load)(act_trackers&, std::size_t number, const void* bytes, std::size_t count);  // throws
};

extern const entry_points baseline;
#if defined(ACT_C_X86)
extern const entry_points avx2;
extern const entry_points avx512;
#endif

}  // namespace act_c
