// The second half of fused calibration: a head's plain outputs become calibrated ones, its sinks known.
//
//   O' = c O + (beta - c) * sum over sinks s of A[s] V[s],    c = 1 + (1 - beta) S / R
//
// (renormalised, with f c in beta's place, and maybe with other columns in the sinks') for every row that
// sees a sink, with A[s] recomputed from q, k and what the softmax left of the row, a block of rows at a time
// (turned_block.hpp). Where sinks hold most of a row, c O and the second term cancel: of such a row
// everything but the sinks is computed anew (attention_elsewhere.hpp), and O' is c times that, and beta times
// the sinks' part. Nothing here allocates, throws or checks.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/attention_elsewhere.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/kernels/attention_row.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/detail/kernels/sinks_in_rows.hpp>
#include <act/detail/kernels/turned_block.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/options.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

template <class Types, class Arch>
class sink_correction {
  using head_type = attention_head<Types, Arch>;
  using A = typename head_type::A;
  using block = typename head_type::block;
  using op = typename block::op;
  using row_of = attention_row<typename Types::cache, Arch>;
  static constexpr std::size_t block_rows = block::block_rows;

 public:
  /// With up to `few` sinks, panels of keys and values stay as they are; with more, the sinks' take their
  /// place.
  static constexpr std::size_t few = head_type::shape::few_sinks;

  /// Sinks' share of a row from which on its rest is computed anew. An output of calibrated_attention is an
  /// unrounded sum of the very weights that are taken out again: its rounding errors grow by c, 6.4 at this
  /// share and beta = 0.4.
  static constexpr double most_of_own = 0.9;
  /// Another kernel's output may be rounded to a half type and comes from weights that were rounded
  /// otherwise: c is 2.8 here.
  static constexpr double most_of_foreign = 0.75;

  /// `sinks` ascend; the head's rows have their statistics, and its outputs wait. `most`: one of the above.
  sink_correction(head_type& head, std::span<const std::size_t> sinks, const column_scaling& scaling,
                  double most) noexcept
      : head_(head), sinks_(sinks), scaling_(scaling), most_(most), block_(head), elsewhere_(head, sinks) {}

  /// Calibrates the rows that see a sink and settles all outputs. Returns the mass moved.
  double run() noexcept {
    const std::size_t queries = head_.of.queries;
    if (sinks_.empty() || scaling_.is_nothing()) {
      head_.settle(0, queries);
      return 0;
    }
    pack_sinks();
    const std::size_t sees_one = std::min(head_.first_row_seeing(sinks_[0]), queries);
    const std::size_t first = sees_one / block_rows * block_rows;
    head_.settle(0, first);
    double moved = 0;
    for (std::size_t i = first; i < queries; i += block_rows) {
      const std::size_t rows = std::min(block_rows, queries - i);
      moved += correct(i, rows);
      head_.settle(i, rows);
    }
    return moved;
  }

  /// Whether the head's packed keys and values are gone.
  [[nodiscard]] bool took_panels() const noexcept { return took_panels_; }

 private:
  /// How many of the sinks lie before `end`.
  [[nodiscard]] std::size_t sinks_before(std::size_t end) const noexcept {
    return static_cast<std::size_t>(std::lower_bound(sinks_.begin(), sinks_.end(), end) - sinks_.begin());
  }

  [[nodiscard]] bool are_few() const noexcept { return sinks_.size() <= few; }
  [[nodiscard]] A* keys() const noexcept { return are_few() ? head_.sink_keys : head_.packed_keys; }

  void pack_sinks() noexcept {
    block_.copy_keys([&](std::size_t s) { return head_.key(sinks_[s]); }, sinks_.size(), keys());
    if (are_few()) return;
    took_panels_ = true;
    finite_values_ = block::template pack_values<typename Types::cache>(
        [&](std::size_t s) { return head_.value(sinks_[s]); }, sinks_.size(), head_.of.value_channels,
        head_.packed_values);
  }

  /// Weights of sink s in the block's rows.
  [[nodiscard]] A* weights(std::size_t s) const noexcept { return head_.scores + s * block_rows; }

  double correct(std::size_t i, std::size_t rows) noexcept {
    const std::size_t here = sinks_before(head_.seen(i + rows - 1).end);
    block_.load(i, rows);
    block_.weigh(
        keys(), here, [&](std::size_t s) { return sinks_[s]; }, weights(0));
    double on_sinks[block_rows] = {};
    turned_block<Types, Arch>::add(weights(0), here, on_sinks);
    output_change each[block_rows];
    bool anew = false;
    for (std::size_t r = 0; r < rows; ++r) {
      each[r] = change_of(i + r, on_sinks[r]);
      anew = anew || each[r].anew;
    }
    if (anew) begin_anew(i, rows, on_sinks, each);
    A on_weights[block_rows] = {};
    double moved = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      on_weights[r] = each[r].on_weights;
      moved += each[r].moved;
    }
    for (std::size_t s = 0; s < here; ++s) {
      for (std::size_t r = 0; r < block_rows; r += op::lanes)
        op::store(op::load(weights(s) + r) * op::load(on_weights + r), weights(s) + r);
    }
    if (are_few() || !finite_values_) {
      add_row_by_row(i, rows, here, each);
    } else {
      add_together(i, rows, here, each);
    }
    if (anew) end_anew(i, rows, each);
    return moved;
  }

  // How a row changes: its output is multiplied by on_output, then what sinks have is added on_weights times,
  // and what the other keys have on_elsewhere times, where that is computed `anew`.
  struct output_change {
    double moved = 0;
    A on_output = 1, on_weights = 0, on_elsewhere = 0;
    bool anew = false;
    [[nodiscard]] bool changes() const noexcept { return on_output != 1 || on_weights != 0; }
  };

  [[nodiscard]] output_change change_of(std::size_t i, double on_sinks) const noexcept {
    const double mass = static_cast<double>(head_.mass[i]);
    if (!(on_sinks > 0)) return {};
    // Strengthened columns never cancel: both parts of the new output have one sign.
    if (on_sinks > most_ * mass && scaling_.weakens()) return {.anew = true};
    const row_change change = change_of_row(on_sinks, mass - on_sinks, scaling_);
    if (!change.changes) return {};
    return {.moved = change.moved(),
            .on_output = static_cast<A>(change.elsewhere),
            .on_weights = static_cast<A>(change.columns - change.elsewhere)};
  }

  // Attention elsewhere in the whole block, and how its rows change by that.
  void begin_anew(std::size_t i, std::size_t rows, const double* on_sinks, output_change* each) noexcept {
    double elsewhere[block_rows];
    elsewhere_.attend(i, rows, block_, elsewhere);
    for (std::size_t r = 0; r < rows; ++r) {
      if (!each[r].anew) continue;
      const row_change change = change_of_row(on_sinks[r], elsewhere[r], scaling_);
      if (!change.changes) continue;
      each[r].moved = change.moved();
      each[r].on_output = 0;
      each[r].on_weights = static_cast<A>(change.columns);
      each[r].on_elsewhere = static_cast<A>(change.elsewhere);
    }
  }
  void end_anew(std::size_t i, std::size_t rows, const output_change* each) noexcept {
    for (std::size_t r = 0; r < rows; ++r) {
      if (each[r].on_elsewhere == 0) continue;
      A* const out = head_.waiting(i + r);
      const A* const elsewhere = elsewhere_.output(r);
      for (std::size_t c = 0; c < head_.of.value_channels; ++c)
        out[c] += elsewhere[c] * each[r].on_elsewhere;
    }
  }

  // The first two parts of a row's change, sinks' weights being multiplied already. Each row by itself: sinks
  // that it doesn't see may have values that aren't finite.
  void add_row_by_row(std::size_t i, std::size_t rows, std::size_t here, const output_change* each) noexcept {
    for (std::size_t r = 0; r < rows; ++r) {
      if (!each[r].changes()) continue;
      const std::span<const std::size_t> seen = sinks_within(sinks_.first(here), head_.seen(i + r));
      const std::size_t first = static_cast<std::size_t>(seen.data() - sinks_.data());
      A by[few], on_output = each[r].on_output;
      for (std::size_t from = 0; from < seen.size(); from += few, on_output = 1) {
        const std::size_t count = std::min(few, seen.size() - from);
        for (std::size_t s = 0; s < count; ++s)
          by[s] = weights(first + from + s)[r];
        row_of::mix(
            by, count, [&](std::size_t s) { return head_.value(seen[from + s]); }, head_.of.value_channels,
            on_output, head_.waiting(i + r));
      }
    }
  }
  // The same for the block at once.
  void add_together(std::size_t i, std::size_t rows, std::size_t here, const output_change* each) noexcept {
    const std::size_t padded_values = head_.of.padded_values();
    for (std::size_t c = 0; c < padded_values; c += block::width) {
      block::multiply_turned(weights(0), block_rows, rows, head_.packed_values + c * sinks_.size(), here,
                             head_.mixed + c, padded_values, false);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      if (!each[r].changes()) continue;
      A* const out = head_.waiting(i + r);
      const A* const change = head_.mixed + r * padded_values;
      for (std::size_t c = 0; c < head_.of.value_channels; ++c)
        out[c] = (each[r].on_output == 0 ? A(0) : out[c] * each[r].on_output) + change[c];
    }
  }

  head_type& head_;
  std::span<const std::size_t> sinks_;
  column_scaling scaling_;
  double most_;
  bool took_panels_ = false, finite_values_ = true;
  turned_block<Types, Arch> block_;
  attention_elsewhere<Types, Arch> elsewhere_;
};

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
