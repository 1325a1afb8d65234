// Calibration of a head whose weights are all kept until its sinks are known: rows are calibrated before
// their product with V, nothing is computed twice and nothing is corrected. For calibrated_attention, where a
// head's weights fit into attention_options::kept_weights; sink_correction.hpp does the same from outputs
// alone.
//
// Weights w are not divided by their rows' sums yet. A row's output is factor * sum over j of w[j] V[j], and
// calibration makes
//
//   factor' = c * factor,   w'[s] = (beta / c) * w[s] of every sink s,   c = 1 + (1 - beta) S / R
//
// so that a row costs a few operations for each sink it sees. (Renormalised: c as rules/row_rule.hpp has it,
// and f for beta / c; the columns that the options choose are in the sinks' place.) R, the row's mass
// elsewhere, is the difference of two sums, but where sinks hold more than half of the row it is summed
// itself: a difference would have lost digits that c multiplies. Nothing here allocates, throws or checks.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/kernels/proportional_row.hpp>
#include <act/detail/kernels/sinks_in_rows.hpp>
#include <act/detail/rules/row_rule.hpp>

#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

template <class Types, class Arch>
class weight_calibration {
  using head_type = attention_head<Types, Arch>;
  using A = typename head_type::A;
  using block_scores = typename head_type::block_scores;
  static constexpr std::size_t block_rows = head_type::block::block_rows;

 public:
  /// `sinks` ascend; the head's weights are kept and its rows have their statistics.
  weight_calibration(head_type& head, std::span<const std::size_t> sinks,
                     const column_scaling& scaling) noexcept
      : head_(head), sinks_(sinks), scaling_(scaling) {}

  /// Rows [i, i + rows), whose weights and output factors these are. Says whether it changed them.
  bool operator()(std::size_t i, std::size_t rows, const block_scores& weights, A* factors) noexcept {
    const key_range last = head_.seen(i + rows - 1), first = head_.seen(i);
    while (end_ < sinks_.size() && sinks_[end_] < last.end)
      ++end_;
    while (begin_ < end_ && sinks_[begin_] < first.begin)
      ++begin_;
    const std::span<const std::size_t> here = sinks_.subspan(begin_, end_ - begin_);
    if (here.empty() || scaling_.is_nothing()) return false;
    // Key by key, its rows' weights together: masked ones are 0.
    double on_sinks[block_rows] = {};
    for (const std::size_t s : here) {
      for (std::size_t r = 0; r < rows; ++r)
        on_sinks[r] += static_cast<double>(weights.row(r)[s]);
    }
    A at_sinks[block_rows];
    bool changes = false;
    for (std::size_t r = 0; r < rows; ++r) {
      const row_change change = change_of(i + r, weights.row(r), here, on_sinks[r]);
      const A c = static_cast<A>(change.elsewhere);
      at_sinks[r] = c == 1 ? A(1) : static_cast<A>(change.columns) / c;
      factors[r] *= c;
      changes = changes || c != 1;
    }
    if (!changes) return false;
    for (const std::size_t s : here) {
      for (std::size_t r = 0; r < rows; ++r)
        weights.row(r)[s] *= at_sinks[r];
    }
    return true;
  }

  [[nodiscard]] std::size_t sinks() const noexcept { return sinks_.size(); }
  /// The mass that the calls so far moved.
  [[nodiscard]] double moved() const noexcept { return moved_; }

 private:
  [[nodiscard]] row_change change_of(std::size_t i, const A* row, std::span<const std::size_t> sinks,
                                     double on_sinks) noexcept {
    if (!(on_sinks > 0)) return {};
    const double inverse = static_cast<double>(head_.inverse_sum[i]);
    const double total = static_cast<double>(head_.mass[i]) / inverse;
    double elsewhere = total - on_sinks;
    if (!(on_sinks <= cancelling_share * total)) {
      const key_range seen = head_.seen(i);
      elsewhere = sum_elsewhere<A, Arch>(row, seen, sinks_within(sinks, seen));
    }
    const row_change change = change_of_row(on_sinks, elsewhere, scaling_);
    moved_ += change.moved() * inverse;
    return change;
  }

  head_type& head_;
  std::span<const std::size_t> sinks_;
  column_scaling scaling_;
  std::size_t begin_ = 0, end_ = 0;  // sinks_[begin_ .. end_) are seen: ranges only move right
  double moved_ = 0;
};

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
