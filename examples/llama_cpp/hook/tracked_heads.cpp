#include "tracked_heads.hpp"

#include <act/error.hpp>
#include <act/parallel.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace act_llama {

namespace {

// Waking threads takes some microseconds: fewer elements than this stay on their own thread.
constexpr std::size_t worth_threads = std::size_t{1} << 16;

}  // namespace

tracked_heads::tracked_heads(std::vector<chosen_head> heads)
    : heads_(std::move(heads)), states_(heads_.size()) {
  for (const chosen_head& each : heads_) {
    if (each.options.columns != act::column_choice::sinks) {
      throw act::error(act::error_code::unsupported, "columns",
                       "other than sinks aren't known where rows come a few at a time");
    }
    (void)act::sink_tracker(each.options);  // refuses the rest
  }
}

void tracked_heads::calibrate(std::span<const sequence_step> steps, std::span<const std::size_t> freed,
                              std::span<const head_rows> maps) {
  for (state& each : states_) {
    for (const std::size_t slot : freed) {
      if (slot < each.of_slot.size()) each.of_slot[slot] = act::sink_tracker();
    }
  }
  std::size_t elements = 0;
  for (const sequence_step& step : steps)
    elements += step.rows.size() * step.cells.size() * heads_.size();
  std::vector<std::exception_ptr> failures(heads_.size());
  const auto one_head = [&](std::size_t index) noexcept {
    try {
      calibrate(index, steps, maps[index]);
    } catch (...) {
      failures[index] = std::current_exception();
    }
  };
  if (elements < worth_threads) {
    for (std::size_t index = 0; index < heads_.size(); ++index)
      one_head(index);
  } else {
    act::parallel_for(heads_.size(), one_head);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

void tracked_heads::calibrate(std::size_t head_index, std::span<const sequence_step> steps,
                              const head_rows& map) {
  state& head = states_[head_index];
  const act::calibration_options& options = heads_[head_index].options;

  // Sequences that part go on from what their common beginning was before this map.
  std::vector<act::sink_tracker> copies;
  for (const sequence_step& step : steps) {
    if (step.slot >= head.of_slot.size()) head.of_slot.resize(step.slot + 1);
    if (step.from != sequence_step::none && step.from != step.slot)
      copies.push_back(step.from < head.of_slot.size() ? head.of_slot[step.from]
                                                       : act::sink_tracker(options));
  }
  std::size_t copied = 0;
  for (const sequence_step& step : steps) {
    act::sink_tracker& tracker = head.of_slot[step.slot];
    if (step.from == sequence_step::none) {
      tracker = act::sink_tracker(options);
    } else if (step.from != step.slot) {
      tracker = std::move(copies[copied++]);
    }
    if (step.from != sequence_step::none) {
      if (tracker.keys() < step.kept) {  // a computation that was broken off never came to this layer
        tracker = act::sink_tracker(options);
      } else {
        // Rows that were taken back stay in the sums of the tokens before them: they are gone.
        if (tracker.keys() > step.kept) tracker.evict({step.kept, tracker.keys()});
        for (const act::key_range& range : step.evicted)
          tracker.evict(range);
      }
    }
    tracker.reserve(step.cells.size());

    const auto cells_of = [&](const placed_row& row) { return map.data + row.row * map.row_stride; };
    // A row over the tokens of its sequence: where they lie, or gathered.
    const auto tokens_of = [&](const placed_row& row) -> std::span<float> {
      if (step.contiguous) return {cells_of(row) + step.cells[0], row.token + 1};
      head.row.resize(std::max(head.row.size(), row.token + 1));
      const float* const cells = cells_of(row);
      for (std::size_t token = row.first; token <= row.token; ++token)
        head.row[token] = cells[step.cells[token]];
      return {head.row.data(), row.token + 1};
    };
    for (const placed_row& row : step.rows) {
      tracker.append(std::span<const float>(tokens_of(row)), {row.first, row.token + 1});
    }
    const std::span<const std::size_t> sinks = tracker.sinks();
    if (sinks.empty()) continue;
    for (const placed_row& row : step.rows) {
      if (!row.is_own || row.token < sinks[0]) continue;
      const auto end = std::upper_bound(sinks.begin(), sinks.end(), row.token);
      const std::span<float> weights = tokens_of(row);
      const double moved =
          act::calibrate_row(weights, {row.first, row.token + 1}, {sinks.begin(), end}, options);
      if (step.contiguous || moved == 0) continue;
      float* const cells = cells_of(row);
      for (std::size_t token = row.first; token <= row.token; ++token)
        cells[step.cells[token]] = weights[token];
    }
  }
}

void tracked_heads::forget() {
  for (state& each : states_)
    each.of_slot.clear();
}

std::span<const std::size_t> tracked_heads::sinks(std::size_t head_index, std::size_t slot) const noexcept {
  const std::vector<act::sink_tracker>& trackers = states_[head_index].of_slot;
  return slot < trackers.size() ? trackers[slot].sinks() : std::span<const std::size_t>();
}

}  // namespace act_llama
