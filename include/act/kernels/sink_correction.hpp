// The second half of fused calibration: a head's plain outputs become calibrated ones, its sinks known.
//
//   O' = c O + (beta - c) * sum over sinks s of A[s] V[s],    c = 1 + (1 - beta) S / R
//
// for every row that sees a sink, with A[s] recomputed from q, k and what the softmax left of the row. Where
// sinks hold most of a row, c O and the second term cancel: such a row's weights are recomputed whole and R
// is summed over the other keys.
//
// A block of rows at a time, which lie in the lanes: their queries are transposed once, a sink's scores of
// all of them are one chain of multiply-adds, and exp and everything that follows is done sink by sink, so
// that no lane is empty however few or many sinks there are. The chain is the one that attention itself made
// each score by: weights of rows that were made here come out the same to the bit. Nothing here allocates,
// throws or checks.
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
  static constexpr std::size_t few = head_type::shape::few_keys;

  /// Sinks' share of a row from which on it is computed anew. An output of calibrated_attention is an
  /// unrounded sum of the very weights that are taken out again: its rounding errors grow by c, 6.4 at this
  /// share and beta = 0.4.
  static constexpr double most_of_own = 0.9;
  /// Another kernel's output may be rounded to a half type and comes from weights that were rounded
  /// otherwise: c is 2.8 here.
  static constexpr double most_of_foreign = 0.75;

  /// `sinks` ascend; the head's rows have their statistics, and its outputs wait. `most`: one of the above.
  sink_correction(head_type& head, std::span<const std::size_t> sinks, double beta, double most) noexcept
      : head_(head), sinks_(sinks), beta_(beta), most_(most) {}

  /// Calibrates the rows that see a sink and settles all outputs. Returns the mass moved.
  double run() noexcept {
    const std::size_t queries = head_.of.queries;
    if (sinks_.empty() || beta_ == 1) {
      head_.settle(0, queries);
      return 0;
    }
    pack_sinks();
    const std::size_t first = std::min(sinks_[0] > head_.offset() ? sinks_[0] - head_.offset() : 0, queries);
    head_.settle(0, first);
    double moved = 0;
    for (std::size_t i = first; i < queries; i += block_rows) {
      const std::size_t rows = std::min(block_rows, queries - i);
      moved += correct(i, rows);
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
    if (on_sinks > most_ * mass) return {.whole = true};
    const double freed = (1 - beta_) * on_sinks;
    return {freed, 1 + freed / (mass - on_sinks), false};
  }

  /// How many of the sinks lie before `end`.
  [[nodiscard]] std::size_t sinks_before(std::size_t end) const noexcept {
    return static_cast<std::size_t>(std::lower_bound(sinks_.begin(), sinks_.end(), end) - sinks_.begin());
  }

  [[nodiscard]] bool are_few() const noexcept { return sinks_.size() <= few; }
  [[nodiscard]] A* keys() const noexcept { return are_few() ? head_.few_keys : head_.packed_keys; }

  void pack_sinks() noexcept {
    const std::size_t channels = head_.of.channels;
    for (std::size_t s = 0; s < sinks_.size(); ++s) {
      const T* const key = head_.key(sinks_[s]);
      for (std::size_t c = 0; c < channels; ++c)
        keys()[s * channels + c] = element_traits<T>::load(key[c]);
    }
    if (are_few()) return;
    block::template pack_values<T>([&](std::size_t s) { return head_.value(sinks_[s]); }, sinks_.size(),
                                   head_.of.value_channels, head_.packed_values);
  }

  double correct(std::size_t i, std::size_t rows) noexcept {
    const std::size_t here = sinks_before(head_.seen(i + rows - 1).end);
    weigh_sinks(i, rows, here);
    double on_sinks[block_rows] = {};
    sum_sinks(here, on_sinks);
    row_factor each[block_rows];
    A change[block_rows] = {};
    double moved = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      each[r] = factor(i + r, on_sinks[r]);
      if (!each[r].whole && each[r].c != 1) change[r] = static_cast<A>(beta_ - each[r].c);
      moved += each[r].freed;
    }
    for (std::size_t s = 0; s < here; ++s) {
      A* const weight = weights(s);
      for (std::size_t r = 0; r < block_rows; r += op::lanes)
        op::store(op::load(weight + r) * op::load(change + r), weight + r);
    }
    if (are_few()) {
      add_one_by_one(i, rows, here, each);
    } else {
      add_together(i, rows, here, each);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      if (each[r].whole) moved += recompute(i, r);
    }
    return moved;
  }

  /// Weights of sink s in the block's rows.
  [[nodiscard]] A* weights(std::size_t s) const noexcept { return head_.scores + s * block_rows; }

  // Weights of the first `here` sinks in rows [i, i + rows), 0 where a row doesn't see one or isn't there.
  void weigh_sinks(std::size_t i, std::size_t rows, std::size_t here) noexcept {
    const std::size_t channels = head_.of.channels;
    head_.load_queries(i, rows);
    block::template pack_keys<A>([&](std::size_t r) { return head_.queries + r * channels; }, rows, channels,
                                 head_.turned);
    for (std::size_t r = 0; r < rows; r += block::width) {
      block::multiply(keys(), channels, here, head_.turned + r * channels, channels, rows - r, weights(0) + r,
                      block_rows);
    }
    for (std::size_t s = 0; s < here; ++s) {
      A* const weight = weights(s);
      mask(i, rows, sinks_[s], weight);
      for (std::size_t r = 0; r < block_rows; r += op::lanes) {
        op::store(op::exp(op::load(weight + r) - op::load(head_.largest + i + r)) *
                      op::load(head_.inverse_sum + i + r),
                  weight + r);
      }
    }
  }

  // Caps and biases a sink's scores in rows [i, i + rows); -inf where a row doesn't see it or isn't there.
  void mask(std::size_t i, std::size_t rows, std::size_t position, A* scores) const noexcept {
    std::fill(scores + rows, scores + block_rows, masked);
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

  // Sums of the first `here` sinks' weights in each row: in the accumulator type across a few, then in
  // double.
  void sum_sinks(std::size_t here, double* sums) const noexcept {
    constexpr std::size_t some = 8;
    for (std::size_t r = 0; r < block_rows; r += op::lanes) {
      for (std::size_t s = 0; s < here;) {
        batch sum(A(0));
        for (const std::size_t end = std::min(here, s + some); s < end; ++s)
          sum = sum + op::load(weights(s) + r);
        op::add_widened(sum, sums + r);
      }
    }
  }

  // Outputs of the block's rows become c times what they were, and the changes of sinks' weights times their
  // values.
  void add_one_by_one(std::size_t i, std::size_t rows, std::size_t here, const row_factor* each) noexcept {
    for (std::size_t r = 0; r < rows; ++r) {
      if (each[r].c == 1) continue;
      A by[few];
      for (std::size_t s = 0; s < here; ++s)
        by[s] = weights(s)[r];
      row_of::mix(
          by, here, [&](std::size_t s) { return head_.value(sinks_[s]); }, head_.of.value_channels,
          static_cast<A>(each[r].c), head_.waiting(i + r));
    }
  }
  void add_together(std::size_t i, std::size_t rows, std::size_t here, const row_factor* each) noexcept {
    const std::size_t padded_values = head_.of.padded_values();
    for (std::size_t c = 0; c < padded_values; c += block::width) {
      block::multiply_turned(weights(0), block_rows, rows, head_.packed_values + c * sinks_.size(), here,
                             head_.mixed + c, padded_values);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      if (each[r].c == 1) continue;
      A* const out = head_.waiting(i + r);
      const A* const change = head_.mixed + r * padded_values;
      const A by = static_cast<A>(each[r].c);
      for (std::size_t c = 0; c < head_.of.value_channels; ++c)
        out[c] = out[c] * by + change[c];
    }
  }

  // Row i + r from its weights, for rows with most of it on sinks. The sinks' weights are not needed any
  // more: the row's take their place.
  double recompute(std::size_t i, std::size_t r) noexcept {
    const key_range visible = head_.seen(i + r);
    const std::span<const std::size_t> here = sinks_within(sinks_, visible);
    A* const weights = head_.scores;
    const A* const query = head_.queries + r * head_.of.channels;
    for (std::size_t j = visible.begin; j < visible.end; ++j) {
      weights[j] = element_lanes<T, Arch>::dot(query, head_.key(j), head_.of.channels);
      if (head_.adjusts()) weights[j] = head_.adjusted(weights[j], i + r, j);
    }
    const std::size_t padded = block::round_to_lanes(visible.size());  // a row of scores is longer by a batch
    std::fill(weights + visible.end, weights + visible.begin + padded, masked);
    block::exponentiate(weights + visible.begin, padded, head_.largest[i + r]);
    row_kernel<A, Arch>::scale(weights + visible.begin, visible.size(), head_.inverse_sum[i + r]);
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
  double beta_, most_;
};

}  // namespace act::inline ACT_ABI::detail
