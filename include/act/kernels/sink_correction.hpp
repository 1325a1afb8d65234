// The second half of fused calibration: a head's plain outputs become calibrated ones, its sinks known.
//
//   O' = c O + (beta - c) * sum over sinks s of A[s] V[s],    c = 1 + (1 - beta) S / R
//
// for every row that sees a sink, with A[s] recomputed from q, k and what the softmax left of the row. Where
// sinks hold more than three quarters of a row, c O and the second term cancel: such a row's weights are
// recomputed whole and R is summed over the other keys.
//
// Two ways, one result. A few sinks, the usual case: their scores are dot products, and everything that
// follows (exp, the row's factor) is done for a block of rows at once, sink by sink, so that a row costs one
// exponential a sink in a batch of rows instead of a batch of its own. Many: their keys and values are packed
// and run through attention's own tiles, which pays for empty lanes once they are mostly full.
// Nothing here allocates, throws or checks.
#pragma once

#include <act/attention_view.hpp>
#include <act/element.hpp>
#include <act/kernels/attention_head.hpp>
#include <act/kernels/attention_row.hpp>
#include <act/kernels/row_simd.hpp>
#include <act/redistribution.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

namespace act::inline ACT_ABI::detail {

template <class T, class Arch>
class sink_correction {
  using head_type = attention_head<T, Arch>;
  using A = typename head_type::A;
  using block = typename head_type::block;
  using op = typename block::op;
  using batch = typename block::batch;
  using row_of = attention_row<T, Arch>;
  static constexpr std::size_t block_rows = block::block_rows;
  static constexpr A masked = -std::numeric_limits<A>::infinity();

 public:
  /// With up to `few` sinks, panels of keys and values stay as they are; with more, the sinks' take their
  /// place.
  static constexpr std::size_t few = 8;

  /// `sinks` ascend; the head's rows have their statistics, and its outputs wait.
  sink_correction(head_type& head, std::span<const std::size_t> sinks, double beta) noexcept
      : head_(head), sinks_(sinks), beta_(beta) {}

  /// Calibrates the rows that see a sink and settles all outputs. Returns the mass moved.
  double run() noexcept {
    const std::size_t queries = head_.of.queries;
    if (sinks_.empty() || beta_ == 1) {
      head_.settle(0, queries);
      return 0;
    }
    if (sinks_.size() > few) pack_sinks();
    const std::size_t first = std::min(sinks_[0] > head_.offset() ? sinks_[0] - head_.offset() : 0, queries);
    head_.settle(0, first);
    double moved = 0;
    for (std::size_t i = first; i < queries; i += block_rows) {
      const std::size_t rows = std::min(block_rows, queries - i);
      moved += sinks_.size() > few ? correct_many(i, rows) : correct_few(i, rows);
      head_.settle(i, rows);
    }
    return moved;
  }

 private:
  // How a row changes; `whole`: most of it is on sinks, so it is computed anew.
  struct row_factor {
    double freed = 0, c = 1;
    bool whole = false;
  };

  [[nodiscard]] row_factor factor(std::size_t i, double on_sinks) const noexcept {
    const double mass = static_cast<double>(head_.mass[i]);
    if (!(on_sinks > 0)) return {};
    if (on_sinks > 0.75 * mass) return {.whole = true};
    const double freed = (1 - beta_) * on_sinks;
    return {freed, 1 + freed / (mass - on_sinks), false};
  }

  /// How many of the sinks lie before `end`.
  [[nodiscard]] std::size_t sinks_before(std::size_t end) const noexcept {
    return static_cast<std::size_t>(std::lower_bound(sinks_.begin(), sinks_.end(), end) - sinks_.begin());
  }

  double correct_few(std::size_t i, std::size_t rows) noexcept {
    A* const weights = head_.scores;  // [sink][block_rows]
    const std::size_t here = sinks_before(head_.seen(i + rows - 1).end);
    head_.load_queries(i, rows);
    for (std::size_t s = 0; s < here; ++s) {
      const T* const key = head_.key(sinks_[s]);
      for (std::size_t r = 0; r < rows; ++r)
        weights[s * block_rows + r] = score(r, key);
      std::fill(weights + s * block_rows + rows, weights + (s + 1) * block_rows, masked);
      mask(i, rows, s, weights + s * block_rows);
    }
    double on_sinks[block_rows] = {};
    for (std::size_t s = 0; s < here; ++s) {
      A* const weight = weights + s * block_rows;
      for (std::size_t r = 0; r < block_rows; r += op::lanes) {
        op::store(op::exp(op::load(weight + r) - op::load(head_.largest + i + r)) *
                      op::load(head_.inverse_sum + i + r),
                  weight + r);
      }
      for (std::size_t r = 0; r < block_rows; ++r)
        on_sinks[r] += static_cast<double>(weight[r]);
    }
    double moved = 0;
    std::size_t begin = 0, end = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      const key_range seen = head_.seen(i + r);
      while (end < here && sinks_[end] < seen.end)
        ++end;
      while (begin < end && sinks_[begin] < seen.begin)
        ++begin;
      const row_factor row = factor(i + r, on_sinks[r]);
      if (row.whole) {
        moved += recompute(i, r);
        continue;
      }
      if (row.c == 1) continue;
      const A change = static_cast<A>(beta_ - row.c);
      A by[few];
      for (std::size_t s = begin; s < end; ++s)
        by[s - begin] = weights[s * block_rows + r] * change;
      row_of::mix(
          by, end - begin, [&](std::size_t k) { return head_.value(sinks_[begin + k]); },
          head_.of.value_channels, static_cast<A>(row.c), head_.waiting(i + r));
      moved += row.freed;
    }
    return moved;
  }

  // Of the block's row r with a key: from the scaled query, as attention itself, so that both round alike.
  [[nodiscard]] A score(std::size_t r, const T* key) const noexcept {
    return element_lanes<T, Arch>::dot(head_.queries + r * head_.of.channels, key, head_.of.channels);
  }

  // Caps and biases the rows' scores with sink s; -inf where a row doesn't see it.
  void mask(std::size_t i, std::size_t rows, std::size_t s, A* scores) const noexcept {
    const std::size_t position = sinks_[s];
    const bool all_see = head_.seen(i).contains(position) && head_.seen(i + rows - 1).contains(position);
    if (all_see && !head_.adjusts()) return;
    for (std::size_t r = 0; r < rows; ++r) {
      if (!head_.seen(i + r).contains(position)) {
        scores[r] = masked;
      } else if (head_.adjusts()) {
        scores[r] = head_.adjusted(scores[r], i + r, position);
      }
    }
  }

  void pack_sinks() noexcept {
    block::pack_keys([&](std::size_t s) { return head_.key(sinks_[s]); }, sinks_.size(), head_.of.channels,
                     head_.packed_keys);
    block::pack_values([&](std::size_t s) { return head_.value(sinks_[s]); }, sinks_.size(),
                       head_.of.value_channels, head_.packed_values);
  }

  double correct_many(std::size_t i, std::size_t rows) noexcept {
    const std::size_t here = sinks_before(head_.seen(i + rows - 1).end);
    const std::size_t last = block::round_up(here), stride = head_.of.score_stride();
    const std::size_t channels = head_.of.channels, padded_values = head_.of.padded_values();
    head_.load_queries(i, rows);
    for (std::size_t s = 0; s < last; s += block::width) {
      block::multiply(head_.queries, channels, rows, head_.packed_keys + s * channels, channels,
                      head_.scores + s, stride);
    }
    row_factor each[block_rows];
    double moved = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      A* const row = head_.scores + r * stride;
      each[r] = factor(i + r, weigh_sinks(i + r, row, last));
      if (each[r].whole || each[r].c == 1) {
        std::fill(row, row + last, A(0));
      } else {
        row_kernel<A, Arch>::scale(row, last, static_cast<A>(beta_ - each[r].c));
      }
      moved += each[r].freed;
    }
    for (std::size_t c = 0; c < padded_values; c += block::width) {
      block::multiply(head_.scores, stride, rows, head_.packed_values + c * sinks_.size(), here,
                      head_.mixed + c, padded_values);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      if (each[r].whole) {
        moved += recompute(i, r);
        continue;
      }
      if (each[r].c == 1) continue;
      A* const out = head_.waiting(i + r);
      const A* const change = head_.mixed + r * padded_values;
      const A by = static_cast<A>(each[r].c);
      for (std::size_t c = 0; c < head_.of.value_channels; ++c)
        out[c] = out[c] * by + change[c];
    }
    return moved;
  }

  // Turns row i's scores of the sinks into weights, 0 for those it doesn't see; returns their sum.
  double weigh_sinks(std::size_t i, A* row, std::size_t last) noexcept {
    const key_range visible = head_.seen(i);
    for (std::size_t s = 0; s < last; ++s) {
      if (s >= sinks_.size() || !visible.contains(sinks_[s])) {
        row[s] = masked;
      } else if (head_.adjusts()) {
        row[s] = head_.adjusted(row[s], i, sinks_[s]);
      }
    }
    const batch shift(head_.largest[i]), inverse(head_.inverse_sum[i]);
    for (std::size_t s = 0; s < last; s += op::lanes)
      op::store(op::exp(op::load(row + s) - shift) * inverse, row + s);
    return row_kernel<A, Arch>::sum(row, last);
  }

  // Row i + r from its weights, for rows with most of it on sinks. The last row of the block's scores
  // is free by then: it takes the weights.
  double recompute(std::size_t i, std::size_t r) noexcept {
    const key_range visible = head_.seen(i + r);
    const std::span<const std::size_t> here = sinks_within(sinks_, visible);
    A* const weights = head_.scores + (block_rows - 1) * head_.of.score_stride();
    for (std::size_t j = visible.begin; j < visible.end; ++j) {
      weights[j] = score(r, head_.key(j));
      if (head_.adjusts()) weights[j] = head_.adjusted(weights[j], i + r, j);
      weights[j] = std::exp(weights[j] - head_.largest[i + r]) * head_.inverse_sum[i + r];
    }
    double on_sinks = 0, elsewhere = 0;
    std::size_t next = 0;
    for (std::size_t j = visible.begin; j < visible.end; ++j) {
      const bool is_sink = next < here.size() && here[next] == j;
      if (is_sink) ++next;
      (is_sink ? on_sinks : elsewhere) += static_cast<double>(weights[j]);
    }
    if (!(elsewhere >= least_remainder * (on_sinks + elsewhere))) return 0;
    const double freed = (1 - beta_) * on_sinks;
    scale_row<A, Arch>(weights, visible, here, static_cast<A>(beta_), static_cast<A>(1 + freed / elsewhere));
    row_of::mix(
        weights + visible.begin, visible.size(),
        [&](std::size_t k) { return head_.value(visible.begin + k); }, head_.of.value_channels, A(0),
        head_.waiting(i + r));
    return freed;
  }

  head_type& head_;
  std::span<const std::size_t> sinks_;
  double beta_;
};

}  // namespace act::inline ACT_ABI::detail
