// Column sums of one head, in parts that blocks can add up in any order with one result: a chunk of rows
// gives each key a partial sum, and the partial sums of a key are added in the order of the chunks. Then
// scores, as column_scores.hpp has them.
#pragma once

#include <act/cuda/element.hpp>
#include <act/cuda/sink_rule.hpp>
#include <act/cuda/visibility.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

#include <cstddef>

namespace act::inline ACT_ABI::cuda::detail {

/// How a head's rows are cut into chunks, each with a row of partial sums.
struct row_chunks {
  int rows = 0, rows_per_chunk = 1;

  ACT_HOST_DEVICE int count() const noexcept { return ceil_div(rows, rows_per_chunk); }
  ACT_HOST_DEVICE int first(int chunk) const noexcept { return chunk * rows_per_chunk; }
  ACT_HOST_DEVICE int last(int chunk) const noexcept { return lesser(first(chunk) + rows_per_chunk, rows); }
  /// The keys that a chunk has partial sums of.
  ACT_HOST_DEVICE range keys(int chunk, const sequence& sees) const noexcept {
    return sees.rows(first(chunk), last(chunk));
  }
  /// The chunks that have a partial sum of `key`: all those between the first and the last row that see it.
  ACT_HOST_DEVICE range with(int key, const sequence& sees) const noexcept {
    if (key < sees.initial || key - sees.offset >= rows) return {};
    const int last_row = sees.window == 0 ? rows : lesser(key + sees.window - sees.offset, rows);
    return {greater(key - sees.offset, 0) / rows_per_chunk,
            last_row > 0 ? ceil_div(last_row, rows_per_chunk) : 0};
  }
};

/// Partial sums of the keys first_key .. first_key + Width over the rows [first_row, last_row) of a head of a
/// map of `keys` columns whose row 0 begins at `head`. Rows go by eights, which are added as a tree in float
/// and then to a double: a column of any length is right to 2e-7.
template <class T, int Width>
ACT_DEVICE inline void add_rows(const T* head, std::size_t query_stride, int keys, const sequence& sees,
                                int first_row, int last_row, int first_key, double (&sums)[Width]) noexcept {
  constexpr int group = 8;
  for (int i = first_row; i < last_row; i += group) {
    const auto seen_by = [&](int r) { return i + r < last_row ? sees.row(i + r) : range{}; };
    const auto row = [&](int r) { return head + static_cast<std::size_t>(i + r) * query_stride; };
    piece<T, Width> loaded[group];
    if (first_key + Width <= keys) {
      ACT_UNROLL
      for (int r = 0; r < group; ++r)
        loaded[r] = load_piece<T, Width>(row(r), first_key, seen_by(r));
    } else {
      ACT_UNROLL
      for (int r = 0; r < group; ++r)
        loaded[r] = load_elements<T, Width>(row(r), first_key, seen_by(r));
    }
    ACT_UNROLL
    for (int r = 0; r < group; ++r)
      loaded[r].keep(first_key, seen_by(r));
    ACT_UNROLL
    for (int e = 0; e < Width; ++e) {
      const float low = (loaded[0].at(e) + loaded[1].at(e)) + (loaded[2].at(e) + loaded[3].at(e));
      const float high = (loaded[4].at(e) + loaded[5].at(e)) + (loaded[6].at(e) + loaded[7].at(e));
      sums[e] += static_cast<double>(low + high);
    }
  }
}

/// The score of `key`: its partial sums over the chunks that see it, what earlier chunks of the prompt
/// carried (null: none; it gets the new sum), divided by the rows that see it. `partial` is [chunk, keys].
ACT_DEVICE inline double score_of(const double* partial, const row_chunks& chunks, const scored_rows& rows,
                                  int key, double* carried) noexcept {
  constexpr int group = 8;  // loads under way at once
  const range with_key = chunks.with(key, rows.sees);
  double sum = 0;
  for (int chunk = with_key.begin; chunk < with_key.end; chunk += group) {
    double loaded[group];
    ACT_UNROLL
    for (int e = 0; e < group; ++e) {
      const std::size_t row = static_cast<std::size_t>(chunk + e) * static_cast<std::size_t>(rows.keys);
      loaded[e] = chunk + e < with_key.end ? partial[row + static_cast<std::size_t>(key)] : 0.0;
    }
    ACT_UNROLL
    for (int e = 0; e < group; ++e)
      sum += loaded[e];
  }
  if (carried != nullptr) {
    sum += carried[key];
    carried[key] = sum;
  }
  const int seeing = rows.rows_seeing(key);
  return seeing == 0 ? 0 : sum / static_cast<double>(seeing);
}

}  // namespace act::inline ACT_ABI::cuda::detail
