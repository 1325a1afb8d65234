// Attention sinks of one head: the keys whose column score is over the threshold, the initial token never.
// For callers who have scores; calibrate() does this for you.
#pragma once

#include <act/attention_view.hpp>
#include <act/column_scores.hpp>
#include <act/detail/build.hpp>
#include <act/detail/rules/sink_rule.hpp>
#include <act/error.hpp>
#include <act/options.hpp>
#include <act/simd.hpp>
#include <act/sink.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace act::inline ACT_ABI::inline ACT_BUILD {

namespace detail {

/// Keys from here on are never sinks, of those before `end`.
[[nodiscard]] constexpr std::size_t sinks_end(const sink_options& options, std::size_t end) noexcept {
  return options.position_limit == 0 ? end : std::min(options.position_limit, end);
}

/// Scores that uniform attention would give: the mean of 1 / (keys the row sees) over the rows that see key
/// j, asked for ascending j. Not causal: 1 / keys. Whole prompt: (H_N - H_j) / (N - j), H the harmonic
/// numbers. Sliding sums in double, O(1) a key.
class uniform_baseline {
 public:
  uniform_baseline(const visibility& visible, std::size_t batch, std::size_t first_row,
                   std::size_t last_row) noexcept
      : visible_(visible), batch_(batch), last_row_(last_row), from_(first_row), to_(first_row) {}

  [[nodiscard]] double at(std::size_t key) noexcept {
    const std::size_t rows = visible_.rows_seeing(batch_, key, from_, last_row_);
    if (rows == 0) return 0;
    if (!visible_.causal())
      return 1 / static_cast<double>(visible_.keys_seen(batch_, last_row_) - visible_.initial_key(batch_));
    const std::size_t first = std::max(from_, key);
    while (to_ < first + rows)
      sum_ += share(to_++);
    while (from_ < first)
      sum_ -= share(from_++);
    return sum_ / static_cast<double>(rows);
  }

 private:
  [[nodiscard]] double share(std::size_t position) const noexcept {
    return uniform_share(position, visible_.initial_key(batch_), visible_.window);
  }

  const visibility& visible_;
  std::size_t batch_, last_row_, from_, to_;  // sum_ covers the rows at positions [from_, to_)
  double sum_ = 0;
};

/// The score over which a key is a sink, asked for ascending j. `keys`: the relative rule's N.
class sink_threshold {
 public:
  sink_threshold(const visibility& visible, std::size_t batch, std::size_t first_row, std::size_t last_row,
                 std::size_t keys, const sink_options& options) noexcept
      : by_uniform_(measures_uniform(options.rule)),
        factor_(sink_factor(options.rule, options.alpha, options.tau, static_cast<double>(keys))),
        baseline_(visible, batch, first_row, last_row) {}

  [[nodiscard]] double at(std::size_t key) noexcept {
    return by_uniform_ ? factor_ * baseline_.at(key) : factor_;
  }

 private:
  bool by_uniform_;
  double factor_;
  uniform_baseline baseline_;
};

/// Calls found(position, score) for each sink in ascending order. The scores cover the rows at positions
/// [first_row, last_row), those carried over from earlier chunks included.
template <class Found>
void for_each_sink(std::span<const double> scores, const visibility& visible, std::size_t batch,
                   std::size_t first_row, std::size_t last_row, const sink_options& options,
                   compatibility behave_as, Found&& found) noexcept {
  // A NaN score compares false: a head with NaN has no sinks in the columns it spoils.
  const std::size_t initial = visible.initial_key(batch);
  const std::size_t end = std::min(scores.size(), visible.keys_seen(batch, last_row));
  if (initial >= end) return;
  sink_threshold threshold(visible, batch, first_row, last_row, end - initial, options);
  // The paper spares the initial token by position; the authors' code drops the first index it finds.
  bool spare_next = behave_as == compatibility::authors;
  const std::size_t last = sinks_end(options, end);
  for (std::size_t j = spare_next ? initial : initial + 1; j < last; ++j) {
    if (!(scores[j] > threshold.at(j))) continue;
    if (options.min_visible_rows > 1 &&
        visible.rows_seeing(batch, j, first_row, last_row) < options.min_visible_rows) {
      continue;
    }
    if (spare_next) {
      spare_next = false;
      continue;
    }
    found(j, scores[j]);
  }
}

inline void check_sink_request(std::span<const double> scores, const visibility& visible, std::size_t batch,
                               std::size_t queries, const sink_options& options) {
  throw_if(options.validate(), error_code::invalid_option);
  if (!visible.first_key.empty() && batch >= visible.first_key.size()) {
    detail::raise(error_code::invalid_shape, "batch", "is past visible.first_key");
  }
  if (!visible.query_offsets.empty() && batch >= visible.query_offsets.size())
    detail::raise(error_code::invalid_shape, "batch", "is past visible.query_offsets");
  if (!visible.query_counts.empty() && batch >= visible.query_counts.size())
    detail::raise(error_code::invalid_shape, "batch", "is past visible.query_counts");
  if (!visible.key_counts.empty() && batch >= visible.key_counts.size())
    detail::raise(error_code::invalid_shape, "batch", "is past visible.key_counts");
  const std::size_t offset = visible.offset(batch), rows = visible.rows(batch, queries);
  const bool lacks = visible.causal() ? offset > scores.size() || rows > scores.size() - offset
                                      : visible.keys_seen(batch, 0) > scores.size();
  if (lacks) {
    detail::raise(error_code::invalid_shape, "scores",
                  "need one element for each key that a row sees, up to the last row's own");
  }
}

}  // namespace detail

/// The sinks among `scores` (one for each key, from column_scores) in ascending order of position.
/// `queries` rows starting at visible.query_offset are what the scores were averaged over; scores that also
/// cover earlier chunks want query_offset = 0 and all rows so far. The relative rule's N is the number of
/// keys from the initial one to the last row's own. Throws act::error (invalid_option, invalid_shape). Cost
/// O(keys).
/// @param scores one for each key
/// @param visible what the rows saw
/// @param batch the batch entry of `visible`
/// @param queries how many rows were averaged
/// @param options rule and threshold
/// @param behave_as which initial token is spared: the paper's, or the authors' code's
/// @return the sinks, ascending by position
[[nodiscard]] inline std::vector<sink> find_sinks(std::span<const double> scores, const visibility& visible,
                                                  std::size_t batch, std::size_t queries,
                                                  const sink_options& options = {},
                                                  compatibility behave_as = compatibility::none) {
  detail::check_sink_request(scores, visible, batch, queries, options);
  std::vector<sink> sinks;
  const visibility own = visible.entry(batch);
  const std::size_t first_row = own.query_offset, last_row = first_row + visible.rows(batch, queries);
  // noexcept inside: count first, so that the only allocation happens here.
  std::size_t count = 0;
  detail::for_each_sink(scores, own, 0, first_row, last_row, options, behave_as,
                        [&](std::size_t, double) noexcept { ++count; });
  sinks.reserve(count);
  detail::for_each_sink(scores, own, 0, first_row, last_row, options, behave_as,
                        [&](std::size_t position, double score) noexcept {
                          sinks.push_back({position, score});
                        });
  return sinks;
}

/// Whether the initial token's score is over the threshold, as sinks' are. It never is a sink itself and
/// never calibrated; the paper's Table 1 counts it with them. Arguments and errors as find_sinks.
/// @param scores one for each key
/// @param visible what the rows saw
/// @param batch the batch entry of `visible`
/// @param queries how many rows were averaged
/// @param options rule and threshold
/// @return whether it is; false where fewer rows than options.min_visible_rows see it, or
/// options.position_limit is before it
[[nodiscard]] inline bool initial_token_over_threshold(std::span<const double> scores,
                                                       const visibility& visible, std::size_t batch,
                                                       std::size_t queries,
                                                       const sink_options& options = {}) {
  detail::check_sink_request(scores, visible, batch, queries, options);
  const visibility own = visible.entry(batch);
  const std::size_t first_row = own.query_offset, last_row = first_row + visible.rows(batch, queries);
  const std::size_t initial = own.initial_key(0);
  const std::size_t end = std::min(scores.size(), own.keys_seen(0, last_row));
  if (initial >= detail::sinks_end(options, end) ||
      own.rows_seeing(0, initial, first_row, last_row) < options.min_visible_rows) {
    return false;
  }
  return scores[initial] >
         detail::sink_threshold(own, 0, first_row, last_row, end - initial, options).at(initial);
}

/// The sinks of one head of a map. Throws act::error; cost as column_scores.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map weights [batch, head, query, key], only read
/// @param batch,head which head
/// @param options rule and threshold
/// @param behave_as as above
/// @return the sinks, ascending by position
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

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
