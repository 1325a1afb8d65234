// Reports before and after the work: all memory is taken before the first write, so that a call that runs out
// of it has changed nothing.
#pragma once

#include <act/calibration_report.hpp>
#include <act/calibration_workspace.hpp>
#include <act/detail/build.hpp>
#include <act/head_set.hpp>

#include <cstddef>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Names the heads that a report will speak of, in their order, and makes room for the sinks among `keys`
/// keys.
inline void begin_report(calibration_report& report, std::size_t batches, std::size_t chosen,
                         const layer_heads& heads, std::size_t keys) {
  report.heads.resize(batches * chosen);
  for (std::size_t entry = 0; entry < report.heads.size(); ++entry) {
    report.heads[entry].batch = entry / chosen;
    report.heads[entry].head = heads.at(entry % chosen);
    report.heads[entry].sinks.reserve(keys);
  }
}

/// What became of them: `done` has for each its sinks' positions, the scores of all keys and the mass moved.
inline void end_report(calibration_report& report, calibration_workspace& done, std::size_t keys) noexcept {
  for (std::size_t entry = 0; entry < report.heads.size(); ++entry) {
    head_report& each = report.heads[entry];
    each.moved_mass = done.result(entry).moved_mass;
    each.sinks.resize(done.result(entry).sinks);  // within begin_report's room
    for (std::size_t s = 0; s < each.sinks.size(); ++s) {
      const std::size_t position = done.positions(entry, keys)[s];
      each.sinks[s] = {position, done.sums(entry, keys)[position]};
    }
  }
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
