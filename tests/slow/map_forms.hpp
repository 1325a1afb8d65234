// The forms that have a map: calibrated whole, and row by row as in decoding.
#pragma once

#include <act/calibrate.hpp>
#include <act/column_scores.hpp>
#include <act/sink_tracker.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "slow/findings.hpp"

namespace slow {

/// The weights of `m`, rounded to T, in the case's layout; calibrated, with one thread and with several.
template <class T, class Arch>
void check_map(const attention_case& c, const reference::map& m, findings& f, checker& check) {
  const act_test::map_shape shape{.batches = c.batches,
                                  .heads = c.heads,
                                  .queries = c.queries,
                                  .keys = c.keys(),
                                  .query_offset = c.offset,
                                  .window = c.window,
                                  .first_key = c.first_key,
                                  .order = c.order};
  act_test::random_map<T> map(shape, c.seed);
  for (std::size_t b = 0; b < c.batches; ++b) {
    for (std::size_t h = 0; h < c.heads; ++h) {
      for (std::size_t i = 0; i < c.queries; ++i) {
        for (std::size_t j = 0; j < c.keys(); ++j)
          map.span().row(b, h, i)[j] = static_cast<T>(m.at(b, h, i, j));
      }
    }
  }
  const std::vector<T> before = map.elements();
  reference::map expected = map.to_reference();
  const reference::map rounded = expected;
  const double score_bound =
      rounding<T>::computed * (std::is_same_v<T, double> ? static_cast<double>(c.queries + 3) : 3.1);
  const double bound = rounding<T>::stored + (std::is_same_v<T, double> ? 64 : 7) * rounding<T>::computed;

  act::set_thread_count(1);
  const auto report = act::calibrate<T, Arch>(map.span(), act::layer_heads::all(), c.calibration());
  for (const act::head_report& each : report.heads) {
    const std::vector<std::size_t> sinks = positions(each);
    check_sinks(rounded, each.batch, each.head, sinks, c, score_bound, f, check);
    reference::calibrate(expected, each.batch, each.head, sinks, c.beta);
    for (std::size_t i = 0; i < c.queries; ++i) {
      if (on_the_edge(rounded, each.batch, each.head, i, sinks)) {
        ++f.rows_on_the_edge;
        continue;
      }
      double worst = 0;
      for (std::size_t j = 0; j < c.keys(); ++j) {
        const double got = static_cast<double>(map.span().row(each.batch, each.head, i)[j]);
        const double error = std::abs(got - expected.at(each.batch, each.head, i, j));
        if (!(error <= worst)) worst = error;  // NaN too
      }
      check.within(f.map, "a weight of the map", worst, bound);
    }
  }
  const std::vector<T> alone = map.elements();
  map.elements() = before;
  act::set_thread_count(2 + c.seed % 3);
  act::calibrate<T, Arch>(map.span(), act::layer_heads::all(), c.calibration());
  check.require(act_test::same_bits(map.elements(), alone), "a map that depends on the number of threads");

  // Decoded: the same rows one by one, after a prompt of some of them.
  if (c.initial(0) >= c.offset + c.queries) return;
  map.elements() = before;
  // Rows of padding see nothing: they belong to the prompt.
  const std::size_t padding = c.initial(0) > c.offset ? c.initial(0) - c.offset : 0;
  const std::size_t prompt = padding + c.seed % (c.queries - padding + 1);
  act::sink_tracker tracker(c.calibration());
  auto first = map.span();
  first.batches = first.heads = 1;
  first.queries = prompt;
  first.keys = c.offset + prompt;
  if (!c.first_key.empty()) first.visible.first_key = first.visible.first_key.first(1);
  std::vector<double> sums(first.keys, 0.0);
  if (prompt > 0 && c.initial(0) < first.keys) act::add_column_sums<T, Arch>(first, 0, 0, sums);
  tracker.start(sums, map.span().visible, 0, prompt);
  for (std::size_t i = prompt; i < c.queries; ++i) {
    const std::size_t so_far = c.offset + i + 1;
    std::vector<T> row(map.span().row(0, 0, i), map.span().row(0, 0, i) + so_far);
    tracker.calibrate_row<T, Arch>(std::span<T>(row), map.span().visible.row(0, i));
    if (i + 1 != c.queries && (c.queries > 64 || i % 16 != 0)) continue;
    if (c.initial(0) >= so_far) continue;
    reference::map m_so_far = first_rows(rounded, 0, 0, i + 1);
    const std::vector<std::size_t> found(tracker.sinks().begin(), tracker.sinks().end());
    check_sinks(m_so_far, 0, 0, found, c, score_bound + 0x1p-53 * static_cast<double>(c.queries), f, check);
    std::vector<std::size_t> seen;
    for (const std::size_t s : found) {
      if (m_so_far.sees(0, i, s)) seen.push_back(s);
    }
    if (on_the_edge(m_so_far, 0, 0, i, seen)) {
      ++f.rows_on_the_edge;
      continue;
    }
    reference::calibrate(m_so_far, 0, 0, seen, c.beta);
    double worst = 0;
    for (std::size_t j = 0; j < so_far; ++j) {
      const double error = std::abs(static_cast<double>(row[j]) - m_so_far.at(0, 0, i, j));
      if (!(error <= worst)) worst = error;
    }
    check.within(f.decoded, "a weight of a decoded row", worst, bound);
  }
}

}  // namespace slow
