// What a call that neither throws nor allocates is given beside its inputs and options: memory, threads, and
// where its report goes. The same for every form, in the same place of its arguments. For engines.
#pragma once

#include <act/error.hpp>
#include <act/executor.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <span>

namespace act::inline ACT_ABI {

/// What to leave of a call, in memory of the caller's; null: not wanted. Of chosen heads only, by their
/// number in the layer: entries of others are left as they are, and of all heads where a call has no row
/// (a batch entry without one beside others that have is reported, without sinks). B batch entries, H heads,
/// as the device's report.
struct report_memory {
  double* scores = nullptr;            ///< [B, H, keys] column scores; columns that options choose have none
  std::size_t* sink_counts = nullptr;  ///< [B, H]
  std::size_t* sink_positions = nullptr;  ///< [B, H, keys], the first sink_counts of them, ascending
  double* moved_mass = nullptr;           ///< [B, H] sum over rows of what some keys lost to others
};

/// Memory, threads and report of one call. Two calls at the same time need one each.
struct call_context {
  /// At least as many bytes as the form's size query says for the same arguments, aligned to 16 (what
  /// operator new gives is). Uninitialised before, garbage afterwards.
  std::span<std::byte> workspace = {};
  executor run_on = {};        ///< whose threads; as it is: OpenMP's
  report_memory report = {};   ///< what to leave
  problem* refused = nullptr;  ///< gets the member that is wrong and how to mend it, static text; or null
};

}  // namespace act::inline ACT_ABI
