// Rows and columns at the edges of the rules that processor and device share (act/detail/rules/): one table
// for every form.
#pragma once

#include <act/options.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace act_test {

/// A row with one sink and one other key that has a weight, and whether it changes.
template <class T>
struct boundary_row {
  const char* name;
  T on_sink, elsewhere;
  bool changes;
};

template <class T>
std::vector<boundary_row<T>> boundary_rows() {
  using limits = std::numeric_limits<T>;
  const T share = T(0x1p-20), rest = T(1) - share, below = std::nextafter(share, T(0)),
          above = std::nextafter(share, T(1));
  const T most = limits::max(), least = limits::denorm_min();
  const T nan = limits::quiet_NaN(), infinity = limits::infinity();
  std::vector<boundary_row<T>> rows{
      {"a quarter on the sink", T(0.25), T(0.75), true},
      {"nothing on the sink", T(0), T(1), false},
      {"minus nothing on the sink", T(-0.0), T(1), false},
      {"nothing elsewhere", T(1), T(0), false},
      {"nothing", T(0), T(0), false},
      {"2^-20 elsewhere", rest, share, true},
      {"just below 2^-20 elsewhere", rest, below, false},
      {"just above 2^-20 elsewhere", rest, above, true},
      {"2^-20 of 64 elsewhere", 64 * rest, 64 * share, true},
      {"just below 2^-20 of 64 elsewhere", 64 * rest, 64 * below, false},
      {"2^-20 on the sink", share, rest, true},
      {"the least on the sink", least, T(0.5), true},
      {"the least on the sink, nothing elsewhere", least, T(0), false},
      {"the least on both", least, least, true},
      {"the largest mass", most / 2, most / 2, true},
      {"the largest on the sink", most, T(0), false},
      {"the largest on the sink, the least elsewhere", most, least, false},
      {"the largest on the sink, one elsewhere", most, T(1), false},
      {"the largest elsewhere", T(0), most, false},
      {"negative on the sink", T(-0.25), T(0.5), false},
      {"negative elsewhere", T(0.5), T(-0.25), false},
      {"more negative elsewhere", T(0.25), T(-0.5), false},
      {"cancelling", T(0.25), T(-0.25), false},
      {"negative", T(-0.25), T(-0.5), false},
      {"NaN on the sink", nan, T(0.5), false},
      {"NaN elsewhere", T(0.5), nan, false},
      {"NaN", nan, nan, false},
      {"infinity on the sink", infinity, T(0.5), false},
      {"infinity elsewhere", T(0.5), infinity, false},
      {"infinity", infinity, infinity, false},
      {"minus infinity on the sink", -infinity, T(0.5), false},
      {"minus infinity elsewhere", T(0.5), -infinity, false},
      {"minus infinity", -infinity, -infinity, false},
      {"infinity on the sink, minus infinity elsewhere", infinity, -infinity, false},
      {"minus infinity on the sink, infinity elsewhere", -infinity, infinity, false},
  };
  // Floats that overflow a float's range do not a double's, in which rows are weighed.
  if (sizeof(T) == sizeof(double)) rows.push_back({"a mass that overflows", most, most, false});
  return rows;
}

/// A key of a prompt's rows [first_row, last_row), and the score over which it is a sink: factor * measure.
/// Rules and visibility are chosen so that this has no rounding that depends on the order of sums.
struct boundary_column {
  const char* name;
  act::sink_options options;
  std::size_t first_key, window, first_row, last_row, keys, key;
  double factor, measure;
  bool may_be_sink = true;
};

inline std::vector<boundary_column> boundary_columns() {
  using enum act::sink_rule;
  const act::sink_options relatively{.rule = relative}, absolutely{.rule = absolute},
      corrected{.rule = baseline_corrected, .alpha = 2};
  const auto from_rows = [](std::size_t rows) {
    return act::sink_options{.rule = absolute, .min_visible_rows = rows};
  };
  return {
      {"relative", relatively, 0, 0, 0, 16, 16, 5, 5.0 / 16, 1},
      {"relative, no dyadic N", relatively, 0, 0, 0, 23, 23, 22, 5.0 / 23, 1},
      {"relative, padding", relatively, 3, 0, 0, 10, 10, 4, 5.0 / 7, 1},
      {"relative, window", relatively, 0, 4, 0, 12, 12, 7, 5.0 / 12, 1},
      {"relative, window and padding", relatively, 2, 4, 0, 12, 12, 3, 5.0 / 10, 1},
      {"relative, a chunk", relatively, 1, 0, 8, 12, 12, 2, 5.0 / 11, 1},
      {"relative, keys of no row", relatively, 0, 0, 0, 10, 14, 9, 5.0 / 10, 1},
      {"relative, the initial key", relatively, 3, 0, 0, 10, 10, 3, 5.0 / 7, 1, false},
      {"absolute", absolutely, 0, 0, 0, 16, 16, 5, 0.1, 1},
      {"absolute, window and padding", absolutely, 2, 4, 0, 12, 12, 3, 0.1, 1},
      {"absolute, nought", {.rule = absolute, .tau = 0}, 0, 0, 0, 12, 12, 3, 0, 1},
      {"absolute, one", {.rule = absolute, .tau = 1}, 0, 0, 0, 12, 12, 3, 1, 1},
      {"absolute, enough rows", from_rows(3), 0, 0, 0, 16, 16, 13, 0.1, 1},
      {"absolute, a row too few", from_rows(4), 0, 0, 0, 16, 16, 13, 0.1, 1, false},
      {"absolute, enough rows of a window", from_rows(4), 0, 4, 0, 16, 16, 12, 0.1, 1},
      {"absolute, a window too short", from_rows(5), 0, 4, 0, 16, 16, 11, 0.1, 1, false},
      {"baseline, window of two", corrected, 0, 2, 0, 12, 12, 5, 2, 0.5},
      {"baseline, window of one", corrected, 0, 1, 0, 12, 12, 5, 2, 1},
      {"baseline, two rows", corrected, 0, 0, 0, 2, 2, 1, 2, 0.5},
      {"baseline, padding", corrected, 3, 0, 0, 5, 5, 4, 2, 0.5},
      {"baseline, one row", corrected, 0, 0, 11, 12, 12, 3, 2, 1.0 / 12},
      {"baseline, one row after padding", corrected, 5, 0, 11, 12, 12, 7, 2, 1.0 / 7},
      {"baseline, a chunk with window and padding", corrected, 2, 4, 8, 16, 16, 10, 2, 0.25},
      {"baseline, the initial key", corrected, 3, 1, 0, 8, 8, 3, 2, 1, false},
  };
}

}  // namespace act_test
