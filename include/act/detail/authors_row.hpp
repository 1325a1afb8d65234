// One row as the authors' published code leaves it, where that differs from the paper. For calibrate()'s
// compatibility::authors, to reproduce their numbers; not for new work.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/proportional_row.hpp>
#include <act/element.hpp>
#include <act/simd.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// One row as the authors' code leaves it (`first_row`: row 0 of the map, where they forget to spare the
/// sinks from receiving). Computed in double: a compatibility mode, not a fast path. A row with nothing
/// elsewhere becomes NaN over all its `keys`, as theirs does.
template <class T>
double redistribute_like_authors(T* row, std::size_t keys, key_range seen, std::span<const std::size_t> sinks,
                                 double beta, bool first_row) noexcept {
  using element = element_traits<T>;
  using accumulator = typename element::accumulator;
  double on_sinks = 0;
  for (const std::size_t s : sinks)
    on_sinks += static_cast<double>(element::load(row[s]));
  const double freed = (1 - beta) * on_sinks;
  const std::span<const std::size_t> zeroed = first_row ? std::span<const std::size_t>{} : sinks;
  const double receiving = sum_elsewhere<T, simd::scalar>(row, seen, zeroed);
  if (receiving == 0) {
    std::fill_n(row, keys, element::store(std::numeric_limits<accumulator>::quiet_NaN()));
    return freed;
  }
  std::size_t next = 0;
  for (std::size_t j = seen.begin; j < seen.end; ++j) {
    const double weight = static_cast<double>(element::load(row[j]));
    const bool is_sink = next < sinks.size() && sinks[next] == j;
    if (is_sink) ++next;
    const double kept = is_sink ? beta * weight : weight;
    const double received = is_sink && !first_row ? 0.0 : freed * weight / receiving;
    row[j] = element::store(static_cast<accumulator>(kept + received));
  }
  return freed;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
