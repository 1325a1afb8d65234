// The sinks of one head from its column scores, by one block: a bitmap for kernels that go through all keys,
// an ascending list for those that go through the sinks.
#pragma once

#include <act/cuda/head_bits.hpp>
#include <act/cuda/reduction.hpp>
#include <act/cuda/sink_rule.hpp>
#include <act/cuda/visibility.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

#include <cstdint>

namespace act::inline ACT_ABI::cuda::detail {

/// Where one head's sinks go, in device memory.
struct sink_lists {
  std::uint32_t* bits;  // a bit a key, whole words
  int* positions;       // ascending; room for every key
  int* count;
};

/// 32-bit words of a bitmap of `keys` keys.
ACT_HOST_DEVICE constexpr int bitmap_words(int keys) noexcept {
  return (keys + 31) / 32;
}

/// Shared memory that select_sinks needs, in bytes.
[[nodiscard]] constexpr int selection_memory(int threads) noexcept {
  return (threads + 1) * static_cast<int>(sizeof(double));
}

/// prefix[p] = sum of uniform_share over the first p of the rows; rows + 1 numbers.
template <class Block>
ACT_DEVICE inline void add_uniform_shares(Block& block, const scored_rows& rows, double* prefix,
                                          void* shared) noexcept {
  const int count = rows.last_row - rows.first_row;
  const int each = ceil_div(count + 1, block.threads());
  const int begin = lesser(block.thread() * each, count + 1), end = lesser(begin + each, count + 1);
  double sum = 0, total = 0;
  for (int p = begin; p < end; ++p)
    sum += uniform_share(rows.sees, rows.first_row + p);
  double before = sum_before(block, sum, static_cast<double*>(shared), total);
  for (int p = begin; p < end; ++p) {
    prefix[p] = before;
    before += uniform_share(rows.sees, rows.first_row + p);
  }
  block.sync();
}

/// Finds the sinks among scores(key) with all threads of a block. `prefix` has rows + 1 numbers of room; it
/// is used for the baseline-corrected rule only.
template <class Block, class Scores>
ACT_DEVICE inline void select_sinks(Block& block, const selection& rule, const scored_rows& rows,
                                    double* prefix, void* shared, const sink_lists& out,
                                    Scores&& scores) noexcept {
  if (rule.tracks_uniform()) add_uniform_shares(block, rows, prefix, shared);
  const int words = bitmap_words(rows.keys), each = ceil_div(words, block.threads());
  const int begin = lesser(block.thread() * each, words), end = lesser(begin + each, words);
  int found = 0;
  for (int w = begin; w < end; ++w) {
    std::uint32_t bits = 0;
    for (int e = 0; e < lesser(32, rows.keys - 32 * w); ++e) {
      const int key = 32 * w + e;
      if (is_sink(rule, rows, prefix, key, scores(key))) bits |= std::uint32_t{1} << e;
    }
    out.bits[w] = bits;
    found += count_bits(bits);
  }
  int total = 0;
  int next = sum_before(block, found, static_cast<int*>(shared), total);
  for (int w = begin; w < end; ++w) {
    for (int e = 0; e < 32; ++e) {
      if ((out.bits[w] >> e & 1U) != 0) out.positions[next++] = 32 * w + e;
    }
  }
  if (block.thread() == 0) *out.count = total;
  block.sync();
}

}  // namespace act::inline ACT_ABI::cuda::detail
