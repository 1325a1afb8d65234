// One head of a batch entry, whose tensors have no other, as the fused kernels see it: its rows, its options,
// what the softmax left of each row, and one thread's memory divided up. For fused_head.hpp (attention) and
// sink_correction.hpp (calibration of its outputs). Nothing here allocates, throws or checks.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/attention_block.hpp>
#include <act/detail/kernels/element_lanes.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/element.hpp>
#include <act/head_tensor.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

/// Sizes of one head, and of the memory that its computation takes, in accumulators.
template <class Types, class Arch>
struct attention_head_shape {
  using block = attention_block<typename Types::accumulator, Arch>;
  using op = typename block::op;
  static constexpr bool rounds =
      !std::is_same_v<typename Types::output,
                      typename Types::accumulator>;  // outputs wait until they are final
  /// Sinks whose keys find room beside the packed ones.
  static constexpr std::size_t few_sinks = 8;
  static constexpr std::size_t piece = 64;  ///< keys that attention_elsewhere.hpp reads at a time

  std::size_t queries, keys, channels, value_channels;
  std::size_t score_rows = block::block_rows;  ///< rows of scores kept at once
  bool packs = true;                           ///< whether there is room for packed keys and values
  bool corrects = false;                       ///< whether there is room for sink_correction.hpp's work
  std::size_t kept = 0;                        ///< elements of weights that are kept until sinks are known

  [[nodiscard]] std::size_t padded_keys() const noexcept { return block::round_up(keys); }
  [[nodiscard]] std::size_t padded_values() const noexcept { return block::round_up(value_channels); }
  /// Between rows of scores of a block that sees keys up to `to`. An odd number of batches: rows of a block
  /// fall into different cache sets.
  [[nodiscard]] static constexpr std::size_t stride_up_to(std::size_t to) noexcept {
    return block::round_up(to) + op::lanes;
  }
  [[nodiscard]] std::size_t score_stride() const noexcept { return stride_up_to(keys); }
  /// Makes room for the weights of all rows, block by block, each as long as its last row is in a causal map
  /// (about queries * keys / 2), unless that is more than `limit` elements.
  void keep_weights(const visibility& visible, std::size_t limit) noexcept {
    kept = 0;
    for (std::size_t i = 0; i < queries; i += block::block_rows) {
      const std::size_t last = std::min(i + block::block_rows, queries) - 1;
      kept += block::block_rows * stride_up_to(visible.row(0, last).end);
      if (kept <= limit) continue;
      kept = 0;
      return;
    }
  }
  /// Statistics of rows reach the next multiple of a block's rows: they are read by batches.
  [[nodiscard]] std::size_t padded_queries() const noexcept {
    return (queries + block::block_rows - 1) / block::block_rows * block::block_rows;
  }
  [[nodiscard]] std::size_t packed_keys() const noexcept { return packs ? padded_keys() * channels : 0; }
  [[nodiscard]] std::size_t packed_values() const noexcept {
    return packs ? padded_keys() * padded_values() : 0;
  }
  [[nodiscard]] std::size_t waiting() const noexcept {
    return rounds && corrects ? queries * padded_values() : 0;
  }
  [[nodiscard]] std::size_t turned() const noexcept {
    return corrects ? block::round_up(block::block_rows) * channels : 0;
  }
  [[nodiscard]] std::size_t memory() const noexcept {
    return packed_keys() + packed_values() + std::max(score_rows * score_stride(), kept) +
           block::block_rows * (channels + padded_values()) + 3 * padded_queries() + waiting() + turned() +
           (corrects ? few_sinks * channels + block::block_rows * padded_values() : 0) +
           (corrects ? piece * (block::block_rows + channels + padded_values()) : 0);
  }
};

template <class Types, class Arch>
class attention_head {
 public:
  using A = typename Types::accumulator;
  using query_type = typename Types::query;
  using cache_type = typename Types::cache;
  using output_type = typename Types::output;
  using shape = attention_head_shape<Types, Arch>;
  using block = typename shape::block;
  static constexpr bool rounds = shape::rounds;

  /// Scores, or weights, of a block of rows: key j of row r at row(r)[j].
  struct block_scores {
    A* first;
    std::size_t stride;
    [[nodiscard]] A* row(std::size_t r) const noexcept { return first + r * stride; }
  };

  attention_head(const head_tensor<const query_type>& q, const head_tensor<const cache_type>& k,
                 const head_tensor<const cache_type>& v, const head_tensor<output_type>& out,
                 const attention_options& options, std::size_t head, const shape& sizes,
                 std::span<A> memory) noexcept
      : of(sizes),
        q_(q),
        k_(k),
        v_(v),
        out_(out),
        options_(options),
        head_(head),
        kv_head_(head / (q.heads / k.heads)),
        scale_(static_cast<A>(options.scale != 0 ? options.scale
                                                 : 1 / std::sqrt(static_cast<double>(q.channels)))) {
    A* next = memory.data();
    const auto take = [&](std::size_t count) {
      A* const taken = next;
      next += count;
      return taken;
    };
    packed_keys = take(of.packed_keys());
    packed_values = take(of.packed_values());
    scores = take(std::max(of.score_rows * of.score_stride(), of.kept));
    queries = take(block::block_rows * of.channels);
    mixed = take(block::block_rows * of.padded_values());
    largest = take(of.padded_queries());
    inverse_sum = take(of.padded_queries());
    mass = take(of.padded_queries());
    if constexpr (rounds) plain_ = take(of.waiting());
    if (!of.corrects) return;
    sink_keys = take(shape::few_sinks * of.channels);
    turned = take(of.turned());
    piece_weights = take(shape::piece * block::block_rows);
    piece_keys = take(shape::piece * of.channels);
    piece_values = take(shape::piece * of.padded_values());
    elsewhere = take(block::block_rows * of.padded_values());
  }

  const shape of;
  A *packed_keys, *packed_values;   // panels, see attention_block.hpp
  A* scores;                        // of a block of rows, or of all, or weights that are kept
  A *queries, *mixed;               // of a block of rows
  A *largest, *inverse_sum, *mass;  // of each row: softmax is exp(score - largest) * inverse_sum
  // For corrections only: rows of a few sinks' keys, a block's queries in panels, and
  // attention_elsewhere.hpp's pieces.
  A *sink_keys = nullptr, *turned = nullptr;
  A *piece_weights = nullptr, *piece_keys = nullptr, *piece_values = nullptr, *elsewhere = nullptr;

  [[nodiscard]] std::size_t offset() const noexcept { return options_.visible.query_offset; }
  [[nodiscard]] std::size_t first_row_seeing(std::size_t key) const noexcept {
    return options_.visible.first_row_seeing(key);
  }
  [[nodiscard]] A scale() const noexcept { return scale_; }
  /// The keys that row i sees. Ranges only move right from row to row.
  [[nodiscard]] key_range seen(std::size_t i) const noexcept { return options_.visible.row(0, i); }
  [[nodiscard]] const query_type* query(std::size_t i) const noexcept { return q_.row(0, head_, i); }
  [[nodiscard]] const cache_type* key(std::size_t j) const noexcept { return k_.row(0, kv_head_, j); }
  [[nodiscard]] const cache_type* value(std::size_t j) const noexcept { return v_.row(0, kv_head_, j); }
  [[nodiscard]] output_type* output(std::size_t i) const noexcept { return out_.row(0, head_, i); }

  /// A learned sink joins every row's denominator.
  [[nodiscard]] bool has_sink_logit() const noexcept { return !options_.sink_logits.empty(); }
  [[nodiscard]] A sink_logit() const noexcept { return static_cast<A>(options_.sink_logits[head_]); }

  [[nodiscard]] bool adjusts() const noexcept { return options_.soft_cap > 0 || !options_.slopes.empty(); }
  /// A score capped and biased.
  [[nodiscard]] A adjusted(A score, std::size_t i, std::size_t j) const noexcept {
    if (options_.soft_cap > 0) {
      const A cap = static_cast<A>(options_.soft_cap);
      score = cap * std::tanh(score / cap);
    }
    if (!options_.slopes.empty()) {
      score -= static_cast<A>(options_.slopes[head_]) * static_cast<A>(offset() + i - j);
    }
    return score;
  }

  /// Rows [i, i + rows) of the queries, scaled, and rows of zeros up to a full tile, unless there is one
  /// only.
  void load_queries(std::size_t i, std::size_t rows) noexcept {
    for (std::size_t r = 0; r < rows; ++r)
      element_lanes<query_type, Arch>::widen(query(i + r), scale_, of.channels, queries + r * of.channels);
    const std::size_t tile =
        rows == 1 ? 1 : (rows + block::tile_rows - 1) / block::tile_rows * block::tile_rows;
    std::fill(queries + rows * of.channels, queries + tile * of.channels, A(0));
  }

  /// Row i of the output before it is rounded.
  [[nodiscard]] A* waiting(std::size_t i) noexcept {
    if constexpr (rounds) {
      return plain_ + i * of.padded_values();
    } else {
      return output(i);
    }
  }

  /// Row i of the output, `row` times `factor`: as it is to stay, or to wait for its calibration.
  void store(std::size_t i, const A* row, A factor, bool final) noexcept {
    if constexpr (rounds) {
      if (!final) {
        A* const to = waiting(i);
        for (std::size_t c = 0; c < of.value_channels; ++c)
          to[c] = row[c] * factor;
        return;
      }
    }
    write(row, factor, of.value_channels, output(i));
  }
  static void write(const A* row, A factor, std::size_t channels, output_type* to) noexcept {
    element_lanes<output_type, Arch>::scale(row, factor, channels, to);
  }

  /// Row i as it waits, rounded.
  void copy_waiting(std::size_t i, output_type* to) noexcept {
    write(waiting(i), A(1), of.value_channels, to);
  }

  /// Rows [i, i + rows) that waited become final.
  void settle(std::size_t i, std::size_t rows) noexcept {
    if constexpr (rounds) {
      for (std::size_t r = i; r < i + rows; ++r)
        store(r, waiting(r), A(1), true);
    } else {
      static_cast<void>(i), static_cast<void>(rows);
    }
  }

 private:
  const head_tensor<const query_type>& q_;
  const head_tensor<const cache_type>& k_;
  const head_tensor<const cache_type>& v_;
  const head_tensor<output_type>& out_;
  const attention_options& options_;
  std::size_t head_, kv_head_;
  A scale_;
  A* plain_ = nullptr;
};

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
