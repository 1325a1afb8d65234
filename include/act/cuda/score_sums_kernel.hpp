// Column sums from queries, keys and each row's log-sum-exp, for flash kernels that don't bring any: a second
// pass over Q K^T in tiles, by the plain arithmetic units in float. Half of attention's arithmetic without
// its matrix units; an engine whose kernel adds up its columns itself spares it.
#pragma once

#include <act/cuda/attention_task.hpp>
#include <act/cuda/element.hpp>
#include <act/cuda/head_tensor.hpp>
#include <act/cuda/visibility.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

#include <cmath>
#include <cstddef>

namespace act::inline ACT_ABI::cuda::detail {

/// Blocks of Side * Side threads; each thread has 4 x 4 scores of a tile of 4 Side rows and as many keys.
template <class T, int Side>
struct score_sums_kernel {
  static constexpr int most_threads = Side * Side, least_blocks = 2;
  static constexpr int tile = 4 * Side, slice = 16, row = tile + 1;  // one more: threads write in other banks

  attention_task task;
  token_rows<const T> q, k;
  const float* log_sum_exp;  // [head][queries]
  int channels;
  score_rules rules;

  [[nodiscard]] static constexpr int shared_bytes() noexcept {
    constexpr int tiles = 2 * slice * row * static_cast<int>(sizeof(float));
    constexpr int sums = Side * tile * static_cast<int>(sizeof(double));
    return tiles > sums ? tiles : sums;
  }
  ACT_HOST_DEVICE int key_tiles() const noexcept { return ceil_div(task.keys, tile); }

  template <class Block>
  ACT_DEVICE void operator()(Block& block) const noexcept {
    const int items = task.chunks.count() * key_tiles();
    const long long all = static_cast<long long>(task.jobs()) * items;
    for (long long each = block.index(); each < all; each += block.count()) {
      const int item = static_cast<int>(each % items);
      sum(block, task.place_of(static_cast<int>(each / items)), item / key_tiles(),
          item % key_tiles() * tile);
    }
  }

 private:
  template <class Block>
  ACT_DEVICE void sum(Block& block, const attention_task::place& here, int chunk,
                      int first_key) const noexcept {
    const range seen = task.chunks.keys(chunk, here.sees);
    if (first_key >= seen.end || first_key + tile <= seen.begin) return;
    const int x = block.thread() % Side, y = block.thread() / Side;
    double sums[4] = {};
    for (int i = task.chunks.first(chunk); i < task.chunks.last(chunk); i += tile) {
      const int last = lesser(i + tile, task.chunks.last(chunk));
      const range rows_see = here.sees.rows(i, last);
      if (first_key >= rows_see.end || first_key + tile <= rows_see.begin) continue;
      float scores[4][4] = {};
      multiply(block, here, i, last, first_key, scores);
      ACT_UNROLL
      for (int b = 0; b < 4; ++b) {
        const int key = first_key + x + b * Side;
        float weight[4];
        ACT_UNROLL
        for (int a = 0; a < 4; ++a) {
          const int query = i + y + a * Side;
          const bool sees = query < last && here.sees.row(query).contains(key);
          weight[a] = sees ? weigh(here, query, key, scores[a][b]) : 0.0F;
        }
        sums[b] += static_cast<double>((weight[0] + weight[1]) + (weight[2] + weight[3]));
      }
    }
    auto* const shared = static_cast<double*>(block.shared());
    for (int b = 0; b < 4; ++b)
      shared[y * tile + x + b * Side] = sums[b];
    block.sync();
    double* const partial = task.partial_of(here) + static_cast<std::size_t>(chunk) * task.key_count();
    if (block.thread() < tile && seen.contains(first_key + block.thread())) {
      double total = 0;
      for (int each = 0; each < Side; ++each)
        total += shared[each * tile + block.thread()];
      partial[first_key + block.thread()] = total;
    }
    block.sync();
  }

  ACT_DEVICE float weigh(const attention_task::place& here, int query, int key, float score) const noexcept {
    const float lse =
        log_sum_exp[here.at * static_cast<std::size_t>(task.queries) + static_cast<std::size_t>(query)];
    if (lse == -INFINITY) return 0;  // all of the row's scores are -inf
    return std::exp(rules.adjusted(score, here.head, here.sees.offset + query - key) - lse);
  }

  /// Scaled dot products of the rows [i, last) with a tile of keys.
  template <class Block>
  ACT_DEVICE void multiply(Block& block, const attention_task::place& here, int i, int last, int first_key,
                           float (&scores)[4][4]) const noexcept {
    auto* const of_queries = static_cast<float*>(block.shared());
    float* const of_keys = of_queries + std::ptrdiff_t{slice} * row;
    const int x = block.thread() % Side, y = block.thread() / Side;
    for (int from = 0; from < channels; from += slice) {
      block.sync();  // what was read before may be written now
      for (int e = block.thread(); e < tile * slice; e += block.threads()) {
        const int r = e / slice, c = e % slice;
        const bool in_channels = from + c < channels;
        of_queries[c * row + r] = in_channels && i + r < last
                                      ? widen(q.row(here.batch, here.head, i + r)[from + c]) * rules.scale
                                      : 0.0F;
        of_keys[c * row + r] = in_channels && first_key + r < task.keys
                                   ? widen(k.row(here.batch, here.kv_head, first_key + r)[from + c])
                                   : 0.0F;
      }
      block.sync();
      for (int c = 0; c < slice; ++c) {
        float left[4], right[4];
        ACT_UNROLL
        for (int e = 0; e < 4; ++e) {
          left[e] = of_queries[c * row + y + e * Side];
          right[e] = of_keys[c * row + x + e * Side];
        }
        ACT_UNROLL
        for (int a = 0; a < 4; ++a) {
          ACT_UNROLL
          for (int b = 0; b < 4; ++b)
            scores[a][b] += left[a] * right[b];
        }
      }
    }
    block.sync();
  }
};

}  // namespace act::inline ACT_ABI::cuda::detail
