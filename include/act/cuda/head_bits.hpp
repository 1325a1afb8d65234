// Which heads are calibrated, in the form that kernels read: a bit a head, layer after layer, in device
// memory. For engines that keep one set on the device for a whole model and hand each call its layer: the set
// can change between replays of a captured graph.
#pragma once

#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <cstdint>

namespace act::inline ACT_ABI::cuda {

/// The heads of one layer: bit h % 32 of words[h / 32], in device memory. A null pointer: every head.
struct head_bits {
  const std::uint32_t* words = nullptr;
};

/// 32-bit words that a layer of `heads` heads takes.
[[nodiscard]] constexpr std::size_t words_per_layer(std::size_t heads) noexcept {
  return (heads + 31) / 32;
}

/// Writes a set's bits (act::head_set's, or any range of things with `layer` and `head`) for a model of
/// `layers` layers of `heads` heads to `words` in host memory, layers * words_per_layer(heads) of them; the
/// caller copies them to the device. Pairs outside the model are left out; false when there were any.
template <class HeadSet>
bool pack_heads(const HeadSet& chosen, std::size_t layers, std::size_t heads, std::uint32_t* words) noexcept {
  const std::size_t stride = words_per_layer(heads);
  for (std::size_t w = 0; w < layers * stride; ++w)
    words[w] = 0;
  bool all_fit = true;
  for (const auto& each : chosen) {
    if (each.layer >= layers || each.head >= heads) {
      all_fit = false;
      continue;
    }
    words[each.layer * stride + each.head / 32] |= std::uint32_t{1} << each.head % 32;
  }
  return all_fit;
}

/// The part of packed words (on the device) that is `layer`'s.
[[nodiscard]] constexpr head_bits in_layer(const std::uint32_t* words, std::size_t layer,
                                           std::size_t heads) noexcept {
  return {words + layer * words_per_layer(heads)};
}

namespace detail {

ACT_HOST_DEVICE inline int count_bits(std::uint32_t word) noexcept {
  int count = 0;
  for (; word != 0; word &= word - 1)
    ++count;
  return count;
}

/// Word w of `chosen` without bits past the layer's heads.
ACT_HOST_DEVICE inline std::uint32_t head_word(head_bits chosen, int heads, int w) noexcept {
  const int left = heads - 32 * w;
  const std::uint32_t there = left >= 32 ? 0xffffffffU : (std::uint32_t{1} << left) - 1;
  return chosen.words[w] & there;
}

ACT_HOST_DEVICE inline int count_heads(head_bits chosen, int heads) noexcept {
  if (chosen.words == nullptr) return heads;
  int count = 0;
  for (int w = 0; 32 * w < heads; ++w)
    count += count_bits(head_word(chosen, heads, w));
  return count;
}

/// The index-th chosen head in ascending order; index < count_heads().
ACT_HOST_DEVICE inline int nth_head(head_bits chosen, int heads, int index) noexcept {
  if (chosen.words == nullptr) return index;
  for (int w = 0; 32 * w < heads; ++w) {
    std::uint32_t word = head_word(chosen, heads, w);
    const int here = count_bits(word);
    if (index >= here) {
      index -= here;
      continue;
    }
    for (; index > 0; --index)
      word &= word - 1;
    return 32 * w + count_bits((word & (~word + 1)) - 1);
  }
  return heads;
}

ACT_HOST_DEVICE inline bool has_head(head_bits chosen, int head) noexcept {
  return chosen.words == nullptr || (chosen.words[head / 32] >> head % 32 & 1U) != 0;
}

}  // namespace detail
}  // namespace act::inline ACT_ABI::cuda
