// Fused attention of one head in one thread's memory: what calibrated_attention.hpp runs for each (batch,
// head) pair, and where its formulas are. Calibration is weight_calibration.hpp's where all weights of the
// head are kept until its sinks are known, and sink_correction.hpp's, of what comes out, where they aren't.
// Nothing here allocates, throws or checks.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/attention_block.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/kernels/attention_row.hpp>
#include <act/detail/kernels/element_lanes.hpp>
#include <act/detail/kernels/row_simd.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/element.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

/// Which head's keys and values lie packed in a thread's memory, so that query heads that share them, and run
/// one after another, pack them once.
struct packed_head {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  std::size_t number = none;
  bool finite_values = true;
};

template <class Types, class Arch>
class fused_head {
  using head_type = attention_head<Types, Arch>;
  using A = typename head_type::A;
  using block = typename head_type::block;
  using row_of = attention_row<typename Types::cache, Arch>;
  using block_scores = typename head_type::block_scores;
  using cache = typename Types::cache;

 public:
  /// Packing keys costs about what ten rows save by it.
  static constexpr std::size_t few_queries = 6;

  explicit fused_head(head_type& head) noexcept : head_(head) {}

  /// Attention of all rows; with `sums` (keys of them) the normalised rows are added to these, and the
  /// outputs wait for their calibration. `number` says which keys and values these are.
  void attend(double* sums, packed_head& packed, std::size_t number) noexcept {
    const bool packs = head_.of.queries > few_queries;
    if (packs) pack(packed, number);
    for (std::size_t i = 0; i < head_.of.queries; i += block::block_rows) {
      attend_block(i, rows_from(i), sums, packs);
    }
  }

  /// Weights of all rows, not divided by their sums yet, in head.scores, a block of rows behind the other.
  class kept_softmax {
   public:
    /// Outputs from the weights. calibrate(i, rows, weights, factors) may change the weights of a block of
    /// rows before their product with the values, and the factors of its outputs, which begin as the rows'
    /// inverse sums; it says whether it did. plain(i) is where row i's output goes as it would be without, or
    /// null.
    template <class Calibrate, class Plain>
    void multiply_values(Calibrate&& calibrate, Plain&& plain) const noexcept {
      of_.multiply_kept(calibrate, plain);
    }

   private:
    friend fused_head;
    explicit kept_softmax(fused_head& of) noexcept : of_(of) {}
    fused_head& of_;
  };

  /// The softmax of all rows, kept until the head's sinks are known; the normalised rows are added to `sums`.
  [[nodiscard]] kept_softmax softmax_kept(double* sums, packed_head& packed, std::size_t number) noexcept {
    pack(packed, number);
    for_each_kept([&](std::size_t i, std::size_t rows, const columns& at, const block_scores& kept) {
      if (at.from >= at.to) return see_nothing(i, rows);
      softmax_block(i, rows, at, kept, true);
      add_columns(i, rows, at, kept, sums);
    });
    return kept_softmax(*this);
  }

  /// The head's own map, row i at scores + i * score_stride, normalised.
  class map_softmax {
   public:
    /// Outputs from the map, calibrated or not; more than once if wanted.
    void multiply_values() const noexcept { of_.multiply_map(); }

   private:
    friend fused_head;
    explicit map_softmax(fused_head& of) noexcept : of_(of) {}
    fused_head& of_;
  };

  [[nodiscard]] map_softmax softmax_map(packed_head& packed, std::size_t number) noexcept {
    pack(packed, number);
    for (std::size_t i = 0; i < head_.of.queries; i += block::block_rows)
      softmax_to_map(i, rows_from(i), {head_.scores + i * head_.of.score_stride(), head_.of.score_stride()});
    return map_softmax(*this);
  }

  /// The same without a map: use(i, weights) for each row, `keys` weights that are gone after the call.
  template <class Use>
  void softmax_each_row(packed_head& packed, std::size_t number, Use&& use) noexcept {
    pack(packed, number);
    for (std::size_t i = 0; i < head_.of.queries; i += block::block_rows) {
      softmax_to_map(i, rows_from(i), scratch());
      for (std::size_t r = 0; r < rows_from(i); ++r)
        use(i + r, head_.scores + r * head_.of.score_stride());
    }
  }

  /// Weights of one row, not divided by their sum yet, at scores[0, seen(i).end).
  class row_softmax {
   public:
    /// Row i's output: the product of its weights, calibrated or not, with the values, times `factor`
    /// (inverse_sum[i] makes it attention).
    void multiply_values(A factor) const noexcept { of_.multiply_row(i_, factor); }

   private:
    friend fused_head;
    row_softmax(fused_head& of, std::size_t i) noexcept : of_(of), i_(i) {}
    fused_head& of_;
    std::size_t i_;
  };

  /// Softmax of row i alone; weights before seen(i) are 0. also(from, to) is called on the way for ranges of
  /// keys, ascending (attention_block.hpp).
  template <class Also>
  [[nodiscard]] row_softmax softmax_row(std::size_t i, Also&& also) noexcept {
    const columns at = columns_of(i, 1);
    if (at.from >= at.to) {
      std::fill_n(head_.scores, at.to, A(0));
      see_nothing(i, 1);
      return {*this, i};
    }
    score_block(i, 1, at, scratch(), false);
    softmax(i, head_.scores, at.first, at.last,
            [&](std::size_t from, std::size_t to) { also(at.first + from, at.first + to); });
    std::fill(head_.scores, head_.scores + at.first, A(0));
    return {*this, i};
  }

  /// Another kernel's attention, taken over: outputs as they are in `out`, and each row's log-sum-exp.
  class adopted_softmax {
   public:
    /// Adds the rows' weights, computed again, to `sums`.
    void add_column_sums(double* sums, packed_head& packed, std::size_t number) const noexcept {
      of_.add_adopted_columns(sums, packed, number);
    }

   private:
    friend fused_head;
    explicit adopted_softmax(fused_head& of) noexcept : of_(of) {}
    fused_head& of_;
  };

  [[nodiscard]] adopted_softmax adopt(const A* log_sum_exp) noexcept {
    for (std::size_t i = 0; i < head_.of.queries; ++i) {
      // A row all of whose scores are -inf weighs nothing, as in the softmax above.
      const bool sees = !head_.seen(i).empty() && log_sum_exp[i] != -std::numeric_limits<A>::infinity();
      head_.largest[i] = sees ? log_sum_exp[i] : 0;
      head_.inverse_sum[i] = sees ? 1 : 0;
      head_.mass[i] = head_.inverse_sum[i];
      if (sees && head_.has_sink_logit()) head_.mass[i] -= std::exp(head_.sink_logit() - log_sum_exp[i]);
      if constexpr (head_type::rounds) {
        const auto* const from = head_.output(i);
        A* const to = head_.waiting(i);
        for (std::size_t c = 0; c < head_.of.value_channels; ++c)
          to[c] = block::load(from[c]);
      }
    }
    return adopted_softmax(*this);
  }

 private:
  template <class Calibrate, class Plain>
  void multiply_kept(Calibrate&& calibrate, Plain&& plain) noexcept {
    for_each_kept([&](std::size_t i, std::size_t rows, const columns& at, const block_scores& kept) {
      if (at.from >= at.to) {
        store_nothing(i, rows, true);
        for (std::size_t r = i; r < i + rows && plain(r) != nullptr; ++r)
          head_type::write(head_.mixed, A(0), head_.of.value_channels, plain(r));
        return;
      }
      const auto row = [&](std::size_t r) { return head_.mixed + r * head_.of.padded_values(); };
      A factors[block::block_rows];
      std::copy_n(head_.inverse_sum + i, rows, factors);
      const bool both = plain(i) != nullptr;
      if (both) multiply_values(i, rows, kept, at);
      for (std::size_t r = 0; both && r < rows; ++r)
        head_type::write(row(r), factors[r], head_.of.value_channels, plain(i + r));
      const bool changed = calibrate(i, rows, kept, factors);
      if (changed || !both) multiply_values(i, rows, kept, at);
      for (std::size_t r = 0; r < rows; ++r)
        head_.store(i + r, row(r), factors[r], true);
    });
  }

  void multiply_row(std::size_t i, A factor) noexcept {
    const key_range seen = head_.seen(i);
    row_of::mix(
        head_.scores + seen.begin, seen.size(), [&](std::size_t k) { return head_.value(seen.begin + k); },
        head_.of.value_channels, A(0), head_.mixed);
    head_.store(i, head_.mixed, factor, true);
  }

  void multiply_map() noexcept {
    const std::size_t stride = head_.of.score_stride();
    for (std::size_t i = 0; i < head_.of.queries; i += block::block_rows) {
      const std::size_t rows = rows_from(i);
      const columns at = columns_of(i, rows);
      if (at.from >= at.to) {
        store_nothing(i, rows, true);
        continue;
      }
      multiply_values(i, rows, {head_.scores + i * stride, stride}, at);
      for (std::size_t r = 0; r < rows; ++r)
        head_.store(i + r, head_.mixed + r * head_.of.padded_values(), A(1), true);
    }
  }

  void add_adopted_columns(double* sums, packed_head& packed, std::size_t number) noexcept {
    pack(packed, number);
    const std::size_t stride = head_.of.score_stride();
    for (std::size_t i = 0; i < head_.of.queries; i += block::block_rows) {
      const std::size_t rows = rows_from(i);
      const columns at = columns_of(i, rows);
      if (at.from >= at.to) continue;
      score_block(i, rows, at, scratch(), true);
      for (std::size_t r = 0; r < rows; ++r) {
        A* const row = head_.scores + r * stride;
        if (head_.inverse_sum[i + r] == 0) {
          std::fill(row + at.first, row + at.last, A(0));
        } else if (mask(i + r, row, at.first, at.last)) {
          block::exponentiate(row + at.first, at.last - at.first, head_.largest[i + r]);
          if (std::isnan(head_.largest[i + r])) spoil(i + r, row, at.first, at.last);
        }
      }
      add_columns(i, rows, at, scratch(), sums);
    }
  }

  // The keys [from, to) that a block of rows sees, [first, last) whole panels from the left and batches to
  // the right.
  struct columns {
    std::size_t from, to, first, last;
  };
  [[nodiscard]] columns columns_of(std::size_t i, std::size_t rows) const noexcept {
    const std::size_t from = head_.seen(i).begin, to = head_.seen(i + rows - 1).end;
    return {from, to, from / block::width * block::width, block::round_to_lanes(to)};
  }

  [[nodiscard]] std::size_t rows_from(std::size_t i) const noexcept {
    return std::min(block::block_rows, head_.of.queries - i);
  }

  /// Where a block's scores go that nothing keeps.
  [[nodiscard]] block_scores scratch() const noexcept { return {head_.scores, head_.of.score_stride()}; }

  template <class Use>
  void for_each_kept(Use&& use) noexcept {
    A* next = head_.scores;
    for (std::size_t i = 0; i < head_.of.queries; i += block::block_rows) {
      const std::size_t rows = rows_from(i);
      const columns at = columns_of(i, rows);
      const block_scores kept{next, head_type::shape::stride_up_to(at.to)};
      next += block::block_rows * kept.stride;
      use(i, rows, at, kept);
    }
  }

  void pack(packed_head& packed, std::size_t number) noexcept {
    finite_values_ = packed.finite_values;
    if (packed.number == number) return;
    block::template pack_keys<cache>([&](std::size_t j) { return head_.key(j); }, head_.of.keys,
                                     head_.of.channels, head_.packed_keys);
    packed.finite_values =
        block::template pack_values<cache>([&](std::size_t j) { return head_.value(j); }, head_.of.keys,
                                           head_.of.value_channels, head_.packed_values);
    packed.number = number;
    finite_values_ = packed.finite_values;
  }

  // Scores of a block of rows with the keys of `at`.
  void score_block(std::size_t i, std::size_t rows, const columns& at, const block_scores& scores,
                   bool packs) noexcept {
    const std::size_t channels = head_.of.channels;
    head_.load_queries(i, rows);
    if (packs) {
      block::score(head_.queries, channels, rows, head_.packed_keys, at.first, at.last,
                   scores.row(0) + at.first, scores.stride);
      return;
    }
    for (std::size_t r = 0; r < rows; ++r) {
      const key_range seen = head_.seen(i + r);
      for (std::size_t j = seen.begin; j < seen.end; ++j) {
        scores.row(r)[j] =
            element_lanes<cache, Arch>::dot(head_.queries + r * channels, head_.key(j), channels);
      }
    }
  }

  void softmax_block(std::size_t i, std::size_t rows, const columns& at, const block_scores& scores,
                     bool packs) noexcept {
    score_block(i, rows, at, scores, packs);
    for (std::size_t r = 0; r < rows; ++r)
      softmax(i + r, scores.row(r), at.first, at.last);
  }

  // Normalised weights of a block of rows over all keys.
  void softmax_to_map(std::size_t i, std::size_t rows, const block_scores& map) noexcept {
    const columns at = columns_of(i, rows);
    if (at.from < at.to) softmax_block(i, rows, at, map, true);
    for (std::size_t r = 0; r < rows; ++r) {
      A* const row = map.row(r);
      if (at.from >= at.to) {
        std::fill_n(row, head_.of.keys, A(0));
        continue;
      }
      row_kernel<A, Arch>::scale(row + at.first, at.last - at.first, head_.inverse_sum[i + r]);
      std::fill(row, row + at.first, A(0));
      std::fill(row + std::min(at.last, head_.of.keys), row + head_.of.keys, A(0));
    }
  }

  void add_columns(std::size_t i, std::size_t rows, const columns& at, const block_scores& weights,
                   double* sums) noexcept {
    block::add_columns(weights.row(0) + at.first, weights.stride, rows, head_.inverse_sum + i,
                       std::min(at.last, head_.of.keys) - at.first, sums + at.first);
  }

  void attend_block(std::size_t i, std::size_t rows, double* sums, bool packs) noexcept {
    const columns at = columns_of(i, rows);
    const std::size_t padded_values = head_.of.padded_values();
    if (at.from >= at.to) {  // padding: nobody here sees anything
      see_nothing(i, rows);
      return store_nothing(i, rows, sums == nullptr);
    }
    softmax_block(i, rows, at, scratch(), packs);
    if (sums != nullptr) add_columns(i, rows, at, scratch(), sums);
    if (packs) {
      multiply_values(i, rows, scratch(), at);
    } else {
      for (std::size_t r = 0; r < rows; ++r) {
        const key_range seen = head_.seen(i + r);
        row_of::mix(
            scratch().row(r) + seen.begin, seen.size(),
            [&](std::size_t k) { return head_.value(seen.begin + k); }, head_.of.value_channels, A(0),
            head_.mixed + r * padded_values);
      }
    }
    for (std::size_t r = 0; r < rows; ++r)
      head_.store(i + r, head_.mixed + r * padded_values, head_.inverse_sum[i + r], sums == nullptr);
  }

  // What a row that sees nothing leaves.
  void see_nothing(std::size_t i, std::size_t rows) noexcept {
    for (std::size_t r = i; r < i + rows; ++r)
      head_.largest[r] = head_.inverse_sum[r] = head_.mass[r] = 0;
  }

  // A row with a score that isn't a number: every weight that it sees isn't one, whatever it doesn't see is
  // 0, and so are its parts in the sums of columns.
  void spoil(std::size_t i, A* row, std::size_t first, std::size_t last) noexcept {
    const key_range visible = head_.seen(i);
    constexpr A nothing = std::numeric_limits<A>::quiet_NaN();
    std::fill(row + first, row + visible.begin, A(0));
    std::fill(row + visible.begin, row + visible.end, nothing);
    std::fill(row + visible.end, row + last, A(0));
    head_.largest[i] = head_.mass[i] = nothing;
    head_.inverse_sum[i] = 1;
  }

  // Rows that see nothing are 0.
  void store_nothing(std::size_t i, std::size_t rows, bool final) noexcept {
    std::fill_n(head_.mixed, head_.of.padded_values(), A(0));
    for (std::size_t r = i; r < i + rows; ++r)
      head_.store(r, head_.mixed, A(0), final);
  }

  // Makes row i's scores in columns [first, last) final: capped, biased, -inf where masked. A row that sees
  // nothing becomes 0, and false is returned.
  bool mask(std::size_t i, A* row, std::size_t first, std::size_t last) noexcept {
    const key_range visible = head_.seen(i);
    if (visible.empty()) {
      std::fill(row + first, row + last, A(0));
      return false;
    }
    constexpr A masked = -std::numeric_limits<A>::infinity();
    std::fill(row + first, row + visible.begin, masked);
    std::fill(row + visible.end, row + last, masked);
    if (head_.adjusts()) {
      for (std::size_t j = visible.begin; j < visible.end; ++j)
        row[j] = head_.adjusted(row[j], i, j);
    }
    return true;
  }

  // Softmax of row i's scores in columns [first, last), not divided by its sum yet: masked ones become 0, the
  // row's statistics are kept. Only the batches that hold columns of its own are summed, so that a row is the
  // same to the bit whatever rows are in its block.
  void softmax(std::size_t i, A* row, std::size_t first, std::size_t last) noexcept {
    softmax(i, row, first, last, [](std::size_t, std::size_t) {});
  }
  template <class Also>
  void softmax(std::size_t i, A* row, std::size_t first, std::size_t last, Also&& also) noexcept {
    if (head_.seen(i).empty()) {
      std::fill(row + first, row + last, A(0));
      return see_nothing(i, 1);
    }
    const columns own = columns_of(i, 1);
    std::fill(row + first, row + own.first, A(0));
    std::fill(row + own.last, row + last, A(0));
    mask(i, row, own.first, own.last);
    const auto found = block::exponentiate(row + own.first, own.last - own.first, also);
    if (std::isnan(found.sum)) return spoil(i, row, first, last);
    A denominator = found.sum;
    if (head_.has_sink_logit()) denominator += std::exp(head_.sink_logit() - found.largest);
    head_.largest[i] = found.largest;
    head_.inverse_sum[i] = denominator == 0 ? 0 : 1 / denominator;
    head_.mass[i] = found.sum * head_.inverse_sum[i];
  }

  // mixed = weights * the packed values of the keys that rows from i on see. A row's weights of other keys in
  // the block are 0, and so are their parts, unless a value isn't finite: then each row takes its own keys.
  void multiply_values(std::size_t i, std::size_t rows, const block_scores& weights,
                       const columns& at) noexcept {
    if (finite_values_) return multiply_value_keys(0, rows, weights, {at.from, at.to});
    for (std::size_t r = 0; r < rows; ++r)
      multiply_value_keys(r, 1, weights, head_.seen(i + r));
  }
  void multiply_value_keys(std::size_t first, std::size_t rows, const block_scores& weights,
                           key_range keys) noexcept {
    const std::size_t padded_values = head_.of.padded_values();
    for (std::size_t c = 0; c < padded_values; c += block::width) {
      block::multiply(weights.row(first) + keys.begin, weights.stride, rows,
                      head_.packed_values + c * head_.of.keys + keys.begin * block::width, keys.size(),
                      block::width, head_.mixed + first * padded_values + c, padded_values);
    }
  }

  head_type& head_;
  bool finite_values_ = true;  // of the packed ones
};

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
