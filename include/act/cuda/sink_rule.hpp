// When a column score makes a key a sink: the rule of detail/rules/sink_rule.hpp for one key at a time, as
// kernels ask.
#pragma once

#include <act/cuda/visibility.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/detail/rules/sink_rule.hpp>
#include <act/options.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <limits>

namespace act::inline ACT_ABI::cuda::detail {

/// The rows that a head's column scores were averaged over, and who of the keys can be a sink.
struct scored_rows {
  sequence sees;
  int first_row = 0, last_row = 0;  // positions, those of earlier chunks included
  int keys = 0;

  /// Keys from here on are no row's.
  ACT_HOST_DEVICE int end() const noexcept { return lesser(keys, last_row); }
  /// The relative rule's N.
  ACT_HOST_DEVICE int visible_keys() const noexcept { return greater(end() - sees.initial, 0); }
  ACT_HOST_DEVICE int rows_seeing(int key) const noexcept {
    return sees.rows_seeing(key, first_row, last_row);
  }
};

/// sink_options as kernels take them.
struct selection {
  sink_rule rule = sink_rule::relative;
  double alpha = 5, tau = 0.1;
  int min_visible_rows = 1;
  int position_limit = std::numeric_limits<int>::max();

  ACT_HOST_DEVICE bool tracks_uniform() const noexcept { return act::detail::measures_uniform(rule); }
  ACT_HOST_DEVICE double factor(int visible_keys) const noexcept {
    return act::detail::sink_factor(rule, alpha, tau, static_cast<double>(visible_keys));
  }
};

inline selection selection_of(const sink_options& options) noexcept {
  constexpr std::size_t most = std::numeric_limits<int>::max();
  const auto limited = [](std::size_t value) { return static_cast<int>(value < most ? value : most); };
  return {options.rule, options.alpha, options.tau, limited(options.min_visible_rows),
          limited(options.position_limit == 0 ? most : options.position_limit)};
}

/// What uniform attention of the row at `position` would give each key that it sees.
ACT_HOST_DEVICE inline double uniform_share(const sequence& sees, int position) noexcept {
  return act::detail::uniform_share(position, sees.initial, sees.window);
}

/// Mean of uniform_share over the rows that see `key`. prefix[p] is the sum of shares of the positions
/// first_row .. first_row + p - 1.
ACT_HOST_DEVICE inline double uniform_score(const scored_rows& rows, const double* prefix, int key) noexcept {
  const int seeing = rows.rows_seeing(key);
  if (seeing == 0) return 0;
  const int from = greater(rows.first_row, key) - rows.first_row;
  return (prefix[from + seeing] - prefix[from]) / static_cast<double>(seeing);
}

/// Whether `key` is a sink. A NaN score is none. `prefix` is read for the baseline-corrected rule only.
ACT_HOST_DEVICE inline bool is_sink(const selection& rule, const scored_rows& rows, const double* prefix,
                                    int key, double score) noexcept {
  if (key <= rows.sees.initial || key >= rows.end() || key >= rule.position_limit) return false;
  if (rows.rows_seeing(key) < rule.min_visible_rows) return false;
  const double measure = rule.tracks_uniform() ? uniform_score(rows, prefix, key) : 1;
  return score > rule.factor(rows.visible_keys()) * measure;
}

/// First of the ascending `positions` that isn't below `key`.
ACT_HOST_DEVICE inline int first_from(const int* positions, int count, int key) noexcept {
  // Most rows see all or none of them.
  if (count == 0 || positions[0] >= key) return 0;
  if (positions[count - 1] < key) return count;
  int low = 1, high = count - 1;
  while (low < high) {
    const int middle = low + (high - low) / 2;
    if (positions[middle] < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace act::inline ACT_ABI::cuda::detail
