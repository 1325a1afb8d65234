// Plain outputs become calibrated ones, the sinks known: sink_correction.hpp's arithmetic, a warp a row.
//
//   O' = c O + (beta - c) * sum over sinks s of A[s] V[s],    A[s] = exp(score - LSE),
//
// with the c of detail/rules/row_rule.hpp. Each lane has some neighbouring channels of the row. Where sinks
// hold more than three quarters of a row, c O and the second term cancel: such a row is made anew from all
// keys that it sees.
#pragma once

#include <act/cuda/attention_task.hpp>
#include <act/cuda/element.hpp>
#include <act/cuda/head_tensor.hpp>
#include <act/cuda/reduction.hpp>
#include <act/cuda/row_rescaling.hpp>
#include <act/cuda/sink_rule.hpp>
#include <act/cuda/visibility.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

#include <cmath>
#include <cstddef>

namespace act::inline ACT_ABI::cuda::detail {

/// Heads of up to 32 * Lane channels; rows are read in pieces of Width, which divides Lane and the channels.
template <class T, int Lane, int Width>
struct correction_kernel {
  static constexpr int most_threads = 256, least_blocks = Lane <= 4 ? 3 : 2;

  attention_task task;
  token_rows<const T> q, k, v;
  token_rows<T> out;
  const float* log_sum_exp;  // [head][queries]
  int channels, value_channels, rows_per_item;
  score_rules rules;
  sink_share kept_by_sinks;

  struct shared_numbers {
    int last;
    pair warps[most_warps];
  };
  [[nodiscard]] static constexpr int shared_bytes() noexcept {
    return static_cast<int>(sizeof(shared_numbers));
  }

  template <class Block>
  ACT_DEVICE void operator()(Block& block) const noexcept {
    auto* const shared = static_cast<shared_numbers*>(block.shared());
    const int items = ceil_div(task.queries, rows_per_item);
    const long long all = static_cast<long long>(task.jobs()) * items;
    for (long long each = block.index(); each < all; each += block.count()) {
      const int item = static_cast<int>(each % items);
      correct_rows(block, *shared, task.place_of(static_cast<int>(each / items)), item, items);
    }
  }

 private:
  struct channels_of_lane {
    float at[Lane] = {};
  };
  /// A lane's channels as they lie in memory: what is loaded and not needed yet.
  struct pieces_of_lane {
    piece<T, Width> at[Lane / Width];

    ACT_DEVICE float channel(int c) const noexcept { return at[c / Width].at(c % Width); }
  };
  /// Up to four keys, the last one again for those past `count`.
  struct four_keys {
    int at[4];
    int count;
  };

  /// This lane's channels of a row of `count` channels.
  template <class Block, class Element>
  ACT_DEVICE static pieces_of_lane load(Block& block, const Element* row, int count) noexcept {
    pieces_of_lane loaded;
    const int first = block.thread() % warp_size * Lane;
    ACT_UNROLL
    for (int p = 0; p < Lane / Width; ++p)
      loaded.at[p] = load_piece<T, Width>(row, first + p * Width, {0, count});
    return loaded;
  }
  ACT_DEVICE static channels_of_lane widened(const pieces_of_lane& of, float by) noexcept {
    channels_of_lane wide;
    ACT_UNROLL
    for (int c = 0; c < Lane; ++c)
      wide.at[c] = of.channel(c) * by;
    return wide;
  }

  template <class Block>
  ACT_DEVICE void correct_rows(Block& block, shared_numbers& shared, const attention_task::place& here,
                               int item, int items) const noexcept {
    const int* const sinks = task.memory.positions + here.at * task.key_count();
    const int count = task.memory.counts[here.at];
    const int begin = item * rows_per_item, end = lesser(begin + rows_per_item, task.queries);
    double moved = 0;
    if (kept_by_sinks.beta != 1 && count > 0 && here.sees.row(end - 1).end > sinks[0]) {
      const int warps = block.threads() / warp_size;
      for (int i = begin + block.thread() / warp_size; i < end; i += warps)
        moved += correct(block, here, i, sinks, count);
    }
    if (task.memory.moved == nullptr) return;
    moved = sum_warps(block, moved, shared.warps);
    double* const by_item = task.memory.moved_by_item + here.at * static_cast<std::size_t>(items);
    if (block.thread() == 0) by_item[item] = moved;
    if (!is_last(block, shared.last, task.memory.rows_done + here.at, items)) return;
    if (block.thread() == 0) {
      double total = 0;
      for (int each = 0; each < items; ++each)
        total += by_item[each];
      task.memory.moved[here.at] = total;
    }
  }

  /// The first four or fewer of `left` keys; keys(e) is the e-th.
  template <class Keys>
  ACT_DEVICE static four_keys next_keys(int left, Keys&& keys) noexcept {
    four_keys next{{}, lesser(4, left)};
    ACT_UNROLL
    for (int e = 0; e < 4; ++e)
      next.at[e] = keys(lesser(e, next.count - 1));
    return next;
  }

  /// The weights of four keys of a row, 0 for those past their count, and their values. All loads begin
  /// before the first of them is needed.
  template <class Block>
  ACT_DEVICE four weights(Block& block, const attention_task::place& here, int i,
                          const channels_of_lane& query, float lse, const four_keys& keys,
                          pieces_of_lane (&values)[4]) const noexcept {
    pieces_of_lane key_rows[4];
    ACT_UNROLL
    for (int e = 0; e < 4; ++e)
      key_rows[e] = load(block, k.row(here.batch, here.kv_head, keys.at[e]), channels);
    ACT_UNROLL
    for (int e = 0; e < 4; ++e)
      values[e] = load(block, v.row(here.batch, here.kv_head, keys.at[e]), value_channels);
    four dots;
    ACT_UNROLL
    for (int e = 0; e < 4; ++e) {
      ACT_UNROLL
      for (int c = 0; c < Lane; ++c)
        dots.at[e] += query.at[c] * key_rows[e].channel(c);
    }
    dots = block.warp_sum(dots);
    ACT_UNROLL
    for (int e = 0; e < 4; ++e) {
      const float score = rules.adjusted(dots.at[e], here.head, here.sees.offset + i - keys.at[e]);
      dots.at[e] = e < keys.count ? std::exp(score - lse) : 0.0F;
    }
    return dots;
  }

  ACT_DEVICE static void mix(const pieces_of_lane& value, float weight, channels_of_lane& into) noexcept {
    ACT_UNROLL
    for (int c = 0; c < Lane; ++c)
      into.at[c] += weight * value.channel(c);
  }

  /// One row; the mass moved, in every lane.
  template <class Block>
  ACT_DEVICE double correct(Block& block, const attention_task::place& here, int i, const int* sinks,
                            int count) const noexcept {
    const range seen = here.sees.row(i);
    const int begin = first_from(sinks, count, seen.begin), end = first_from(sinks, count, seen.end);
    if (begin >= end) return 0;
    T* const output = out.row(here.batch, here.head, i);
    const pieces_of_lane plain = load(block, output, value_channels);
    const pieces_of_lane asked = load(block, q.row(here.batch, here.head, i), channels);
    const float lse =
        log_sum_exp[here.at * static_cast<std::size_t>(task.queries) + static_cast<std::size_t>(i)];
    const channels_of_lane query = widened(asked, rules.scale);
    double on_sinks = 0;
    channels_of_lane of_sinks;
    for (int s = begin; s < end; s += 4) {
      const four_keys keys = next_keys(end - s, [&](int e) { return sinks[s + e]; });
      pieces_of_lane values[4];
      const four weight = weights(block, here, i, query, lse, keys, values);
      ACT_UNROLL
      for (int e = 0; e < 4; ++e) {
        if (e >= keys.count) continue;
        on_sinks += static_cast<double>(weight.at[e]);
        mix(values[e], weight.at[e], of_sinks);
      }
    }
    if (!(on_sinks > 0)) return 0;
    const double mass = rules.mass(here.head, lse);
    if (on_sinks > 0.75 * mass) {
      return make_anew(block, here, i, seen, sinks, begin, query, lse, on_sinks, of_sinks, output);
    }
    const row_change change = change_of_row(on_sinks, mass - on_sinks, kept_by_sinks.beta);
    if (!change.changes) return 0;
    const float by = static_cast<float>(change.elsewhere),
                more = static_cast<float>(kept_by_sinks.beta - change.elsewhere);
    store(block, output, [&](int e) { return by * plain.channel(e) + more * of_sinks.at[e]; });
    return change.freed;
  }

  template <class Block>
  ACT_DEVICE double make_anew(Block& block, const attention_task::place& here, int i, range seen,
                              const int* sinks, int next, const channels_of_lane& query, float lse,
                              double on_sinks, const channels_of_lane& of_sinks, T* output) const noexcept {
    const int count = task.memory.counts[here.at];
    double elsewhere = 0;
    channels_of_lane of_others;
    for (int j = seen.begin; j < seen.end; j += 4) {
      const four_keys keys = next_keys(seen.end - j, [&](int e) { return j + e; });
      pieces_of_lane values[4];
      const four weight = weights(block, here, i, query, lse, keys, values);
      ACT_UNROLL
      for (int e = 0; e < 4; ++e) {
        if (e >= keys.count) continue;
        if (next < count && sinks[next] == j + e) {
          ++next;
          continue;
        }
        elsewhere += static_cast<double>(weight.at[e]);
        mix(values[e], weight.at[e], of_others);
      }
    }
    const row_change change = change_of_row(on_sinks, elsewhere, kept_by_sinks.beta);
    if (!change.changes) return 0;
    const float by = static_cast<float>(change.elsewhere);
    store(block, output,
          [&](int e) { return kept_by_sinks.rounded * of_sinks.at[e] + by * of_others.at[e]; });
    return change.freed;
  }

  template <class Block, class Value>
  ACT_DEVICE void store(Block& block, T* row, Value&& value) const noexcept {
    const int first = block.thread() % warp_size * Lane;
    ACT_UNROLL
    for (int e = 0; e < Lane; e += Width) {
      piece<T, Width> stored;
      stored.fill([&](int w) { return value(e + w); });
      store_piece(row, first + e, {0, value_channels}, stored);
    }
  }
};

}  // namespace act::inline ACT_ABI::cuda::detail
