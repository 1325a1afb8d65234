// Attention sinks of one head: the keys whose column score is over the threshold, the initial token never.
// For callers who have scores; calibrate() does this for you.
#pragma once

#include <act/attention_view.hpp>
#include <act/column_scores.hpp>
#include <act/error.hpp>
#include <act/options.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace act::inline ACT_ABI {

/// One attention sink.
struct sink {
  std::size_t position = 0;  ///< its key
  double score = 0;          ///< its column score

  friend bool operator==(const sink&, const sink&) = default;
};

namespace detail {

/// Calls found(position, score) for each sink in ascending order. `rows` is how many rows of the sequence the
/// scores cover, those carried over from earlier chunks included; they end at position `last_row`.
template <class Found>
void for_each_sink(std::span<const double> scores, const visibility& visible, std::size_t batch,
                   std::size_t first_row, std::size_t last_row, const sink_options& options,
                   compatibility behave_as, Found&& found) noexcept {
  // A NaN score compares false: a head with NaN has no sinks in the columns it spoils.
  const std::size_t initial = visible.initial_key(batch);
  const std::size_t end = std::min(scores.size(), last_row);
  if (initial >= end) return;
  const double threshold =
      options.rule == sink_rule::relative ? options.alpha / static_cast<double>(end - initial) : options.tau;
  // The paper spares the initial token by position; the authors' code drops the first index it finds.
  bool spare_next = behave_as == compatibility::authors;
  for (std::size_t j = spare_next ? initial : initial + 1; j < end; ++j) {
    if (!(scores[j] > threshold)) continue;
    if (visible.rows_seeing(batch, j, first_row, last_row) < options.min_visible_rows) continue;
    if (spare_next) {
      spare_next = false;
      continue;
    }
    found(j, scores[j]);
  }
}

}  // namespace detail

/// The sinks among `scores` (one for each key, from column_scores) in ascending order of position.
/// `queries` rows starting at visible.query_offset are what the scores were averaged over; scores that also
/// cover earlier chunks want query_offset = 0 and all rows so far. The relative rule's N is the number of
/// keys from the initial one to the last row's own. Throws act::error (invalid_option, invalid_shape). Cost
/// O(keys).
[[nodiscard]] inline std::vector<sink> find_sinks(std::span<const double> scores, const visibility& visible,
                                                  std::size_t batch, std::size_t queries,
                                                  const sink_options& options = {},
                                                  compatibility behave_as = compatibility::none) {
  throw_if(options.validate(), error_code::invalid_option);
  if (!visible.first_key.empty() && batch >= visible.first_key.size()) {
    throw error(error_code::invalid_shape, "batch", "is past visible.first_key");
  }
  if (visible.query_offset > scores.size() || queries > scores.size() - visible.query_offset) {
    throw error(error_code::invalid_shape, "scores",
                "need one element for each key up to the last row's own");
  }
  std::vector<sink> sinks;
  const std::size_t last_row = visible.query_offset + queries;
  // noexcept inside: count first, so that the only allocation happens here.
  std::size_t count = 0;
  detail::for_each_sink(scores, visible, batch, visible.query_offset, last_row, options, behave_as,
                        [&](std::size_t, double) noexcept { ++count; });
  sinks.reserve(count);
  detail::for_each_sink(scores, visible, batch, visible.query_offset, last_row, options, behave_as,
                        [&](std::size_t position, double score) noexcept {
                          sinks.push_back({position, score});
                        });
  return sinks;
}

/// The sinks of one head of a map. Throws act::error; cost as column_scores.
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
[[nodiscard]] std::vector<sink> find_sinks(const attention_span<T>& map, std::size_t batch, std::size_t head,
                                           const sink_options& options = {},
                                           compatibility behave_as = compatibility::none) {
  throw_if(options.validate(), error_code::invalid_option);
  std::vector<double> scores(map.keys);
  column_scores<T, Arch>(map, batch, head, scores);
  return find_sinks(std::span<const double>(scores), map.visible, batch, map.queries, options, behave_as);
}

}  // namespace act::inline ACT_ABI
