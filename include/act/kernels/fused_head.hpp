// Fused attention of one head in one thread's memory: what calibrated_attention.hpp runs for each (batch,
// head) pair, and where its formulas are. Calibration of what comes out is sink_correction.hpp's.
// Nothing here allocates, throws or checks.
#pragma once

#include <act/attention_view.hpp>
#include <act/element.hpp>
#include <act/kernels/attention_block.hpp>
#include <act/kernels/attention_head.hpp>
#include <act/kernels/attention_row.hpp>
#include <act/kernels/row_simd.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

namespace act::inline ACT_ABI::detail {

/// Which head's keys and values lie packed in a thread's memory, so that query heads that share them, and run
/// one after another, pack them once.
struct packed_head {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  std::size_t number = none;
};

template <class T, class Arch>
class fused_head {
  using head_type = attention_head<T, Arch>;
  using A = typename head_type::A;
  using block = typename head_type::block;
  using row_of = attention_row<T, Arch>;

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

  /// Softmaxed weights of all rows, normalised, to the head's own map: row i at scores + i * score_stride.
  void weigh(packed_head& packed, std::size_t number) noexcept {
    pack(packed, number);
    for (std::size_t i = 0; i < head_.of.queries; i += block::block_rows)
      weigh_block(i, rows_from(i), head_.scores + i * head_.of.score_stride());
  }

  /// The same without a map: use(i, weights) for each row, `keys` weights that are gone after the call.
  template <class Use>
  void weigh_each(packed_head& packed, std::size_t number, Use&& use) noexcept {
    pack(packed, number);
    for (std::size_t i = 0; i < head_.of.queries; i += block::block_rows) {
      weigh_block(i, rows_from(i), head_.scores);
      for (std::size_t r = 0; r < rows_from(i); ++r)
        use(i + r, head_.scores + r * head_.of.score_stride());
    }
  }

  /// Softmaxed weights of row i alone, normalised, to scores[0, seen(i).end); those before seen(i) are 0.
  void weigh_row(std::size_t i) noexcept {
    const columns at = columns_of(i, 1);
    if (at.from >= at.to) {
      std::fill_n(head_.scores, at.to, A(0));
      return;
    }
    soften_block(i, 1, at, head_.scores, false);
    row_kernel<A, Arch>::scale(head_.scores + at.first, at.last - at.first, head_.inverse_sum[i]);
    std::fill(head_.scores, head_.scores + at.first, A(0));
  }

  /// Row i's output from the weights that weigh_row() left, calibrated or not.
  void mix_row(std::size_t i) noexcept {
    const key_range seen = head_.seen(i);
    row_of::mix(
        head_.scores + seen.begin, seen.size(), [&](std::size_t k) { return head_.value(seen.begin + k); },
        head_.of.value_channels, A(0), head_.mixed);
    head_.store(i, head_.mixed, true);
  }

  /// Outputs from the map that weigh() left, calibrated or not.
  void mix_map() noexcept {
    const std::size_t stride = head_.of.score_stride();
    for (std::size_t i = 0; i < head_.of.queries; i += block::block_rows) {
      const std::size_t rows = rows_from(i);
      const columns at = columns_of(i, rows);
      if (at.from < at.to) {
        mix(rows, head_.scores + i * stride + at.from, at.to - at.from, at.from);
      } else {
        std::fill_n(head_.mixed, rows * head_.of.padded_values(), A(0));
      }
      for (std::size_t r = 0; r < rows; ++r)
        head_.store(i + r, head_.mixed + r * head_.of.padded_values(), true);
    }
  }

  /// Takes another kernel's attention over: outputs as they are in `out`, and each row's log-sum-exp.
  void adopt(const A* log_sum_exp) noexcept {
    for (std::size_t i = 0; i < head_.of.queries; ++i) {
      const bool sees = !head_.seen(i).empty();
      head_.largest[i] = sees ? log_sum_exp[i] : 0;
      head_.inverse_sum[i] = sees ? 1 : 0;
      head_.mass[i] = head_.inverse_sum[i];
      if (sees && head_.has_sink_logit()) head_.mass[i] -= std::exp(head_.sink_logit() - log_sum_exp[i]);
      if constexpr (head_type::rounds) {
        const T* const from = head_.output(i);
        A* const to = head_.waiting(i);
        for (std::size_t c = 0; c < head_.of.value_channels; ++c)
          to[c] = element_traits<T>::load(from[c]);
      }
    }
  }

  /// After adopt(): adds the rows' weights, computed again, to `sums`.
  void add_column_sums(double* sums, packed_head& packed, std::size_t number) noexcept {
    pack(packed, number);
    const std::size_t stride = head_.of.score_stride();
    for (std::size_t i = 0; i < head_.of.queries; i += block::block_rows) {
      const std::size_t rows = rows_from(i);
      const columns at = columns_of(i, rows);
      if (at.from >= at.to) continue;
      score_block(i, rows, at, head_.scores, true);
      for (std::size_t r = 0; r < rows; ++r) {
        A* const row = head_.scores + r * stride;
        if (mask(i + r, row, at.first, at.last)) {
          block::exponentiate(row + at.first, at.last - at.first, head_.largest[i + r]);
        }
      }
      add_columns(i, rows, at, sums);
    }
  }

 private:
  // The keys [from, to) that a block of rows sees, and [first, last) rounded to panels.
  struct columns {
    std::size_t from, to, first, last;
  };
  [[nodiscard]] columns columns_of(std::size_t i, std::size_t rows) const noexcept {
    const std::size_t from = head_.seen(i).begin, to = head_.seen(i + rows - 1).end;
    return {from, to, from / block::width * block::width, block::round_up(to)};
  }

  [[nodiscard]] std::size_t rows_from(std::size_t i) const noexcept {
    return std::min(block::block_rows, head_.of.queries - i);
  }

  void pack(packed_head& packed, std::size_t number) noexcept {
    if (packed.number == number) return;
    block::pack_keys([&](std::size_t j) { return head_.key(j); }, head_.of.keys, head_.of.channels,
                     head_.packed_keys);
    block::pack_values([&](std::size_t j) { return head_.value(j); }, head_.of.keys, head_.of.value_channels,
                       head_.packed_values);
    packed.number = number;
  }

  // Scores of a block of rows with the keys of `at`, to rows `stride` apart.
  void score_block(std::size_t i, std::size_t rows, const columns& at, A* scores, bool packs) noexcept {
    const std::size_t stride = head_.of.score_stride(), channels = head_.of.channels;
    head_.load_queries(i, rows);
    if (packs) {
      for (std::size_t j = at.first; j < at.last; j += block::width) {
        block::multiply(head_.queries, channels, rows, head_.packed_keys + j * channels, channels, scores + j,
                        stride);
      }
      return;
    }
    for (std::size_t r = 0; r < rows; ++r) {
      const key_range seen = head_.seen(i + r);
      for (std::size_t j = seen.begin; j < seen.end; ++j) {
        scores[r * stride + j] =
            element_lanes<T, Arch>::dot(head_.queries + r * channels, head_.key(j), channels);
      }
    }
  }

  void soften_block(std::size_t i, std::size_t rows, const columns& at, A* scores, bool packs) noexcept {
    score_block(i, rows, at, scores, packs);
    for (std::size_t r = 0; r < rows; ++r)
      soften(i + r, scores + r * head_.of.score_stride(), at.first, at.last);
  }

  // Normalised weights of a block of rows over all keys.
  void weigh_block(std::size_t i, std::size_t rows, A* map) noexcept {
    const columns at = columns_of(i, rows);
    if (at.from < at.to) soften_block(i, rows, at, map, true);
    for (std::size_t r = 0; r < rows; ++r) {
      A* const row = map + r * head_.of.score_stride();
      if (at.from >= at.to) {
        std::fill_n(row, head_.of.keys, A(0));
        continue;
      }
      row_kernel<A, Arch>::scale(row + at.first, at.last - at.first, head_.inverse_sum[i + r]);
      std::fill(row, row + at.first, A(0));
      std::fill(row + std::min(at.last, head_.of.keys), row + head_.of.keys, A(0));
    }
  }

  void add_columns(std::size_t i, std::size_t rows, const columns& at, double* sums) noexcept {
    block::add_columns(head_.scores + at.first, head_.of.score_stride(), rows, head_.inverse_sum + i,
                       std::min(at.last, head_.of.keys) - at.first, sums + at.first);
  }

  void attend_block(std::size_t i, std::size_t rows, double* sums, bool packs) noexcept {
    const columns at = columns_of(i, rows);
    const std::size_t stride = head_.of.score_stride(), padded_values = head_.of.padded_values();
    if (at.from >= at.to) {  // padding: nobody here sees anything
      std::fill_n(head_.mixed, padded_values, A(0));
      for (std::size_t r = i; r < i + rows; ++r) {
        head_.largest[r] = head_.inverse_sum[r] = head_.mass[r] = 0;
        head_.store(r, head_.mixed, sums == nullptr);
      }
      return;
    }
    soften_block(i, rows, at, head_.scores, packs);
    if (sums != nullptr) add_columns(i, rows, at, sums);
    if (packs) {
      mix(rows, head_.scores + at.from, at.to - at.from, at.from);
    } else {
      for (std::size_t r = 0; r < rows; ++r) {
        const key_range seen = head_.seen(i + r);
        row_of::mix(
            head_.scores + r * stride + seen.begin, seen.size(),
            [&](std::size_t k) { return head_.value(seen.begin + k); }, head_.of.value_channels, A(0),
            head_.mixed + r * padded_values);
      }
    }
    for (std::size_t r = 0; r < rows; ++r) {
      A* const row = head_.mixed + r * padded_values;
      row_kernel<A, Arch>::scale(row, head_.of.value_channels, head_.inverse_sum[i + r]);
      head_.store(i + r, row, sums == nullptr);
    }
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
  // row's statistics are kept.
  void soften(std::size_t i, A* row, std::size_t first, std::size_t last) noexcept {
    if (!mask(i, row, first, last)) {
      head_.largest[i] = head_.inverse_sum[i] = head_.mass[i] = 0;
      return;
    }
    const auto found = block::exponentiate(row + first, last - first);
    A denominator = found.sum;
    if (head_.has_sink_logit()) denominator += std::exp(head_.sink_logit() - found.largest);
    head_.largest[i] = found.largest;
    head_.inverse_sum[i] = denominator == 0 ? 0 : 1 / denominator;
    head_.mass[i] = found.sum * head_.inverse_sum[i];
  }

  // mixed = weights * the packed values of `keys` keys from `from` on.
  void mix(std::size_t rows, const A* weights, std::size_t keys, std::size_t from) noexcept {
    const std::size_t padded_values = head_.of.padded_values();
    for (std::size_t c = 0; c < padded_values; c += block::width) {
      block::multiply(weights, head_.of.score_stride(), rows,
                      head_.packed_values + c * head_.of.keys + from * block::width, keys, head_.mixed + c,
                      padded_values);
    }
  }

  head_type& head_;
};

}  // namespace act::inline ACT_ABI::detail
