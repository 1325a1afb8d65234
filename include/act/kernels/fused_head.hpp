// Fused attention of one head, plain or calibrated, in one thread's memory: what calibrated_attention.hpp
// runs for each (batch, head) pair, and where its formulas are. Nothing here allocates, throws or checks.
#pragma once

#include <act/attention_view.hpp>
#include <act/element.hpp>
#include <act/head_tensor.hpp>
#include <act/kernels/attention_block.hpp>
#include <act/kernels/row_simd.hpp>
#include <act/redistribution.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>

namespace act::inline ACT_ABI::detail {

/// One head of one batch entry, in one thread's memory.
template <class T, class Arch>
class fused_head {
  using A = accumulator_t<T>;
  using block = attention_block<A, Arch>;
  using rows_of = row_kernel<A, Arch>;
  static constexpr bool rounds = !std::is_same_v<T, A>;  // outputs wait in A until they are final

 public:
  struct shape {
    std::size_t queries, keys, channels, value_channels;
    [[nodiscard]] std::size_t padded_keys() const noexcept { return block::round_up(keys); }
    [[nodiscard]] std::size_t padded_values() const noexcept { return block::round_up(value_channels); }
    [[nodiscard]] std::size_t score_stride() const noexcept {
      return padded_keys() +
             block::width;  // not a power of two: rows of a block fall into different cache sets
    }
    [[nodiscard]] std::size_t memory() const noexcept {
      return padded_keys() * (channels + padded_values()) + block::block_rows * (score_stride() + channels) +
             block::block_rows * padded_values() + 3 * queries + (rounds ? queries * padded_values() : 0);
    }
  };

  fused_head(const head_tensor<const T>& q, const head_tensor<const T>& k, const head_tensor<const T>& v,
             const head_tensor<T>& out, const attention_options& options, std::size_t batch, std::size_t head,
             std::span<A> memory) noexcept
      : q_(q),
        k_(k),
        v_(v),
        out_(out),
        options_(options),
        batch_(batch),
        head_(head),
        kv_head_(head / (q.heads / k.heads)),
        shape_{q.tokens, k.tokens, q.channels, v.channels},
        scale_(static_cast<A>(options.scale != 0 ? options.scale
                                                 : 1 / std::sqrt(static_cast<double>(q.channels)))) {
    A* next = memory.data();
    const auto take = [&](std::size_t count) {
      A* const taken = next;
      next += count;
      return taken;
    };
    packed_keys_ = take(shape_.padded_keys() * shape_.channels);
    packed_values_ = take(shape_.padded_keys() * shape_.padded_values());
    scores_ = take(block::block_rows * shape_.score_stride());
    queries_ = take(block::block_rows * shape_.channels);
    mixed_ = take(block::block_rows * shape_.padded_values());
    largest_ = take(shape_.queries);
    inverse_sum_ = take(shape_.queries);
    mass_ = take(shape_.queries);
    if constexpr (rounds) plain_ = take(shape_.queries * shape_.padded_values());
  }

  /// Attention of all rows; with `sums` (keys of them) the normalised rows are added to these, and the
  /// outputs are kept for correct().
  void attend(double* sums) noexcept {
    block::pack_keys([&](std::size_t j) { return k_.row(batch_, kv_head_, j); }, shape_.keys, shape_.channels,
                     packed_keys_);
    block::pack_values([&](std::size_t j) { return v_.row(batch_, kv_head_, j); }, shape_.keys,
                       shape_.value_channels, packed_values_);
    for (std::size_t i = 0; i < shape_.queries; i += block::block_rows) {
      attend_block(i, std::min(block::block_rows, shape_.queries - i), sums);
    }
  }

  /// Takes another kernel's attention over: outputs as they are in `out`, and each row's log-sum-exp.
  void adopt(const A* log_sum_exp) noexcept {
    for (std::size_t i = 0; i < shape_.queries; ++i) {
      const bool sees = !seen(i).empty();
      largest_[i] = sees ? log_sum_exp[i] : 0;
      inverse_sum_[i] = sees ? 1 : 0;
      mass_[i] = inverse_sum_[i];
      if (sees && !options_.sink_logits.empty()) {
        mass_[i] -= std::exp(static_cast<A>(options_.sink_logits[head_]) - log_sum_exp[i]);
      }
      if constexpr (rounds) {
        const T* const from = out_.row(batch_, head_, i);
        for (std::size_t c = 0; c < shape_.value_channels; ++c) {
          plain_[i * shape_.padded_values() + c] = element_traits<T>::load(from[c]);
        }
      }
    }
  }

  /// After adopt(): adds the rows' weights, computed again, to `sums`.
  void add_column_sums(double* sums) noexcept {
    block::pack_keys([&](std::size_t j) { return k_.row(batch_, kv_head_, j); }, shape_.keys, shape_.channels,
                     packed_keys_);
    const std::size_t stride = shape_.score_stride();
    for (std::size_t i = 0; i < shape_.queries; i += block::block_rows) {
      const std::size_t rows = std::min(block::block_rows, shape_.queries - i);
      const std::size_t from = seen(i).begin, to = seen(i + rows - 1).end;
      if (from >= to) continue;
      const std::size_t first = from / block::width * block::width, last = block::round_up(to);
      load_queries(i, rows);
      for (std::size_t j = first; j < last; j += block::width) {
        block::multiply(queries_, shape_.channels, rows, packed_keys_ + j * shape_.channels, shape_.channels,
                        scores_ + j, stride);
      }
      for (std::size_t r = 0; r < rows; ++r) {
        if (mask(i + r, scores_ + r * stride, first, last)) {
          block::exponentiate(scores_ + r * stride + first, last - first, largest_[i + r]);
        }
      }
      block::add_columns(scores_ + first, stride, rows, inverse_sum_ + i, std::min(last, shape_.keys) - first,
                         sums + first);
    }
  }

  /// Calibrates the rows that see a sink. Returns the mass moved.
  double correct(std::span<const std::size_t> sinks, double beta) noexcept {
    if (sinks.empty() || beta == 1) {
      if constexpr (rounds) write_rows(0, shape_.queries);
      return 0;
    }
    // The packed keys and values of all keys are done with: those of the sinks take their place.
    block::pack_keys([&](std::size_t j) { return k_.row(batch_, kv_head_, sinks[j]); }, sinks.size(),
                     shape_.channels, packed_keys_);
    block::pack_values([&](std::size_t j) { return v_.row(batch_, kv_head_, sinks[j]); }, sinks.size(),
                       shape_.value_channels, packed_values_);
    const std::size_t offset = options_.visible.query_offset;
    const std::size_t first = std::min(sinks[0] > offset ? sinks[0] - offset : 0, shape_.queries);
    double moved = 0;
    if constexpr (rounds) write_rows(0, first);
    for (std::size_t i = first; i < shape_.queries; i += block::block_rows) {
      const std::size_t rows = std::min(block::block_rows, shape_.queries - i);
      moved += correct_block(i, rows, sinks, beta);
      if constexpr (rounds) write_rows(i, rows);
    }
    return moved;
  }

 private:
  [[nodiscard]] key_range seen(std::size_t i) const noexcept { return options_.visible.row(batch_, i); }

  /// Rows [i, i + rows) of the queries, scaled, and rows of zeros up to a full tile.
  void load_queries(std::size_t i, std::size_t rows) noexcept {
    for (std::size_t r = 0; r < rows; ++r) {
      const T* const from = q_.row(batch_, head_, i + r);
      for (std::size_t c = 0; c < shape_.channels; ++c) {
        queries_[r * shape_.channels + c] = element_traits<T>::load(from[c]) * scale_;
      }
    }
    std::fill(queries_ + rows * shape_.channels, queries_ + block::block_rows * shape_.channels, A(0));
  }

  [[nodiscard]] bool adjusts() const noexcept { return options_.soft_cap > 0 || !options_.slopes.empty(); }
  [[nodiscard]] A adjusted(A score, std::size_t i, std::size_t key) const noexcept {
    if (options_.soft_cap > 0) {
      const A cap = static_cast<A>(options_.soft_cap);
      score = cap * std::tanh(score / cap);
    }
    if (!options_.slopes.empty()) {
      score -=
          static_cast<A>(options_.slopes[head_]) * static_cast<A>(options_.visible.query_offset + i - key);
    }
    return score;
  }

  void attend_block(std::size_t i, std::size_t rows, double* sums) noexcept {
    const std::size_t from = seen(i).begin, to = seen(i + rows - 1).end;  // ranges only move right
    const std::size_t stride = shape_.score_stride();
    const std::size_t first = from / block::width * block::width, last = block::round_up(to);
    if (from >= to) {  // padding: nobody here sees anything
      std::fill(mixed_, mixed_ + shape_.padded_values(), A(0));
      for (std::size_t r = i; r < i + rows; ++r) {
        largest_[r] = inverse_sum_[r] = mass_[r] = 0;
        store(r, mixed_, sums == nullptr);
      }
      return;
    }
    load_queries(i, rows);
    for (std::size_t j = first; j < last; j += block::width) {
      block::multiply(queries_, shape_.channels, rows, packed_keys_ + j * shape_.channels, shape_.channels,
                      scores_ + j, stride);
    }
    for (std::size_t r = 0; r < rows; ++r)
      soften(i + r, scores_ + r * stride, first, last);
    if (sums != nullptr) {
      block::add_columns(scores_ + first, stride, rows, inverse_sum_ + i, std::min(last, shape_.keys) - first,
                         sums + first);
    }
    mix(rows, scores_ + from, stride, to - from, packed_values_ + from * block::width, shape_.keys);
    for (std::size_t r = 0; r < rows; ++r) {
      A* const row = mixed_ + r * shape_.padded_values();
      rows_of::scale(row, shape_.value_channels, inverse_sum_[i + r]);
      store(i + r, row, sums == nullptr);
    }
  }

  /// Makes row i's scores in columns [first, last) final: capped, biased, -inf where masked. A row that sees
  /// nothing becomes 0, and false is returned.
  bool mask(std::size_t i, A* row, std::size_t first, std::size_t last) noexcept {
    const key_range visible = seen(i);
    if (visible.empty()) {
      std::fill(row + first, row + last, A(0));
      return false;
    }
    constexpr A masked = -std::numeric_limits<A>::infinity();
    std::fill(row + first, row + visible.begin, masked);
    std::fill(row + visible.end, row + last, masked);
    if (adjusts()) {
      for (std::size_t j = visible.begin; j < visible.end; ++j)
        row[j] = adjusted(row[j], i, j);
    }
    return true;
  }

  /// Softmax of row i's scores in columns [first, last): masked ones become 0, the row's statistics are kept.
  void soften(std::size_t i, A* row, std::size_t first, std::size_t last) noexcept {
    if (!mask(i, row, first, last)) {
      largest_[i] = inverse_sum_[i] = mass_[i] = 0;
      return;
    }
    const auto found = block::exponentiate(row + first, last - first);
    A denominator = found.sum;
    if (!options_.sink_logits.empty()) {
      denominator += std::exp(static_cast<A>(options_.sink_logits[head_]) - found.largest);
    }
    largest_[i] = found.largest;
    inverse_sum_[i] = denominator == 0 ? 0 : 1 / denominator;
    mass_[i] = found.sum * inverse_sum_[i];
  }

  /// mixed_ = weights * packed values of `keys` keys in panels `panel_keys` keys long.
  void mix(std::size_t rows, const A* weights, std::size_t stride, std::size_t keys, const A* values,
           std::size_t panel_keys) noexcept {
    for (std::size_t c = 0; c < shape_.padded_values(); c += block::width) {
      block::multiply(weights, stride, rows, values + c * panel_keys, keys, mixed_ + c,
                      shape_.padded_values());
    }
  }

  /// Row i of the output, or of the outputs that wait.
  void store(std::size_t i, const A* row, bool final) noexcept {
    if constexpr (rounds) {
      if (!final) {
        std::copy_n(row, shape_.value_channels, plain_ + i * shape_.padded_values());
        return;
      }
    }
    T* const to = out_.row(batch_, head_, i);
    for (std::size_t c = 0; c < shape_.value_channels; ++c)
      to[c] = element_traits<T>::store(row[c]);
  }

  void write_rows(std::size_t i, std::size_t rows) noexcept {
    for (std::size_t r = i; r < i + rows; ++r)
      store(r, plain_ + r * shape_.padded_values(), true);
  }

  [[nodiscard]] A* waiting(std::size_t i) noexcept {
    if constexpr (rounds) {
      return plain_ + i * shape_.padded_values();
    } else {
      return out_.row(batch_, head_, i);
    }
  }

  double correct_block(std::size_t i, std::size_t rows, std::span<const std::size_t> sinks,
                       double beta) noexcept {
    const std::size_t here = static_cast<std::size_t>(
        std::lower_bound(sinks.begin(), sinks.end(), seen(i + rows - 1).end) - sinks.begin());
    const std::size_t last = block::round_up(here), stride = shape_.score_stride();
    load_queries(i, rows);
    for (std::size_t j = 0; j < last; j += block::width) {
      block::multiply(queries_, shape_.channels, rows, packed_keys_ + j * shape_.channels, shape_.channels,
                      scores_ + j, stride);
    }
    A factor[block::block_rows];
    bool whole[block::block_rows] = {};
    double moved = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      A* const row = scores_ + r * stride;
      const double on_sinks = weigh_sinks(i + r, row, sinks, last);
      const double mass = static_cast<double>(mass_[i + r]);
      factor[r] = 1;
      whole[r] = on_sinks > 0.9 * mass;
      if (!(on_sinks > 0) || whole[r]) {
        std::fill(row, row + last, A(0));
        continue;
      }
      const double freed = (1 - beta) * on_sinks, c = 1 + freed / (mass - on_sinks);
      factor[r] = static_cast<A>(c);
      rows_of::scale(row, last, static_cast<A>(beta - c));
      moved += freed;
    }
    mix(rows, scores_, stride, here, packed_values_, sinks.size());
    for (std::size_t r = 0; r < rows; ++r) {
      if (whole[r]) {
        moved += recompute(i + r, queries_ + r * shape_.channels, scores_ + r * stride, sinks, beta);
        continue;
      }
      if (factor[r] == 1) continue;
      A* const out = waiting(i + r);
      const A* const change = mixed_ + r * shape_.padded_values();
      for (std::size_t c = 0; c < shape_.value_channels; ++c)
        out[c] = out[c] * factor[r] + change[c];
    }
    return moved;
  }

  /// Turns row i's scores of the sinks into weights, 0 for those it doesn't see; returns their sum.
  double weigh_sinks(std::size_t i, A* row, std::span<const std::size_t> sinks, std::size_t last) noexcept {
    using op = typename block::op;
    const key_range visible = seen(i);
    constexpr A masked = -std::numeric_limits<A>::infinity();
    for (std::size_t k = 0; k < last; ++k) {
      if (k >= sinks.size() || !visible.contains(sinks[k])) {
        row[k] = masked;
      } else if (adjusts()) {
        row[k] = adjusted(row[k], i, sinks[k]);
      }
    }
    const typename block::batch shift(largest_[i]), inverse(inverse_sum_[i]);
    for (std::size_t k = 0; k < last; k += op::lanes) {
      op::store(op::exp(op::load(row + k) - shift) * inverse, row + k);
    }
    return rows_of::sum(row, last);
  }

  /// Row i from its weights, for rows with nearly everything on sinks; see the top of this header. `weights`
  /// has room for all keys.
  double recompute(std::size_t i, const A* query, A* weights, std::span<const std::size_t> sinks,
                   double beta) noexcept {
    const key_range visible = seen(i);
    double on_sinks = 0, elsewhere = 0;
    const std::span<const std::size_t> here = sinks_within(sinks, visible);
    std::size_t next = 0;
    for (std::size_t j = visible.begin; j < visible.end; ++j) {
      const T* const key = k_.row(batch_, kv_head_, j);
      A score = 0;
      if constexpr (rounds) {
        for (std::size_t c = 0; c < shape_.channels; ++c)
          score += query[c] * element_traits<T>::load(key[c]);
      } else {
        score = block::dot(query, key, shape_.channels);
      }
      if (adjusts()) score = adjusted(score, i, j);
      weights[j] = std::exp(score - largest_[i]) * inverse_sum_[i];
      const bool is_sink = next < here.size() && here[next] == j;
      if (is_sink) ++next;
      (is_sink ? on_sinks : elsewhere) += static_cast<double>(weights[j]);
    }
    if (!(elsewhere >= least_remainder * (on_sinks + elsewhere))) return 0;
    const double freed = (1 - beta) * on_sinks, c = 1 + freed / elsewhere;
    A* const out = waiting(i);
    std::fill_n(out, shape_.value_channels, A(0));
    scale_row<A, Arch>(weights, visible, here, static_cast<A>(beta), static_cast<A>(c));
    for (std::size_t j = visible.begin; j < visible.end; ++j) {
      const T* const value = v_.row(batch_, kv_head_, j);
      for (std::size_t n = 0; n < shape_.value_channels; ++n) {
        out[n] += weights[j] * element_traits<T>::load(value[n]);
      }
    }
    return freed;
  }

  const head_tensor<const T>& q_;
  const head_tensor<const T>& k_;
  const head_tensor<const T>& v_;
  const head_tensor<T>& out_;
  const attention_options& options_;
  std::size_t batch_, head_, kv_head_;
  shape shape_;
  A scale_;
  A *packed_keys_, *packed_values_, *scores_, *queries_, *mixed_, *largest_, *inverse_sum_, *mass_;
  A* plain_ = nullptr;
};

}  // namespace act::inline ACT_ABI::detail
