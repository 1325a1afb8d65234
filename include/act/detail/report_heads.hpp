// Reports before and after the work, in lists of the report's own or in memory of the caller's. Lists are
// taken before the first write, so that a call that runs out of memory has changed nothing.
#pragma once

#include <act/calibration_report.hpp>
#include <act/call_context.hpp>
#include <act/detail/build.hpp>
#include <act/detail/chosen_memory.hpp>
#include <act/head_set.hpp>
#include <act/options.hpp>

#include <algorithm>
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

/// What became of them.
inline void end_report(calibration_report& report, const chosen_memory& done) noexcept {
  for (std::size_t entry = 0; entry < report.heads.size(); ++entry) {
    head_report& each = report.heads[entry];
    each.moved_mass = done.result(entry).moved_mass;
    each.sinks.resize(done.result(entry).sinks);  // within begin_report's room
    for (std::size_t s = 0; s < each.sinks.size(); ++s) {
      const std::size_t position = done.positions(entry)[s];
      each.sinks[s] = {position, done.sums(entry)[position]};
    }
  }
}

/// The same to memory of the caller's, for `of` heads in all and `keys` keys of each. `scored`: whether there
/// are scores.
inline void write_report(const report_memory& to, const chosen_memory& done, const layer_heads& heads,
                         std::size_t of, std::size_t keys, bool scored) noexcept {
  const std::size_t chosen = heads.count(of);
  for (std::size_t entry = 0; entry < done.heads(); ++entry) {
    const std::size_t at = entry / chosen * of + heads.at(entry % chosen);
    const std::size_t sinks = done.result(entry).sinks;
    if (to.moved_mass != nullptr) to.moved_mass[at] = done.result(entry).moved_mass;
    if (to.sink_counts != nullptr) to.sink_counts[at] = sinks;
    if (to.sink_positions != nullptr)
      std::copy_n(done.positions(entry).data(), sinks, to.sink_positions + at * keys);
    if (to.scores == nullptr || !scored) continue;
    std::copy_n(done.sums(entry).data(), done.keys(), to.scores + at * keys);
    std::fill_n(to.scores + at * keys + done.keys(), keys - done.keys(), 0.0);
  }
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
