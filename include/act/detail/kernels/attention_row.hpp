// Attention of one query row straight from rows of keys and values, nothing packed: for decoding, where a
// cache is read once a step, and for calls with a few queries, which don't pay for packing.
// Nothing here allocates, throws or checks.
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/kernels/element_lanes.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/element.hpp>

#include <cstddef>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

template <class T, class Arch>
struct attention_row {
  using lanes_of = element_lanes<T, Arch>;
  using A = typename lanes_of::A;
  using op = typename lanes_of::op;
  using batch = typename lanes_of::batch;

  /// out[c] = factor * out[c] + sum over k < count of weights[k] * row_of(k)[c], `channels` of them. Four
  /// batches of channels at a time and two rows in turn: eight chains of multiply-adds keep both of the
  /// processor's units busy.
  template <class RowOf>
  static void mix(const A* weights, std::size_t count, RowOf&& row_of, std::size_t channels, A factor,
                  A* out) noexcept {
    std::size_t c = 0;
    for (; c + 4 * op::lanes <= channels; c += 4 * op::lanes)
      mix_batches<4>(weights, count, row_of, c, factor, out);
    for (; c + op::lanes <= channels; c += op::lanes)
      mix_batches<1>(weights, count, row_of, c, factor, out);
    if (c == channels) return;
    for (std::size_t tail = c; tail < channels; ++tail)
      out[tail] = factor == A(0) ? A(0) : out[tail] * factor;
    for (std::size_t k = 0; k < count; ++k) {
      const T* const row = row_of(k);
      for (std::size_t tail = c; tail < channels; ++tail)
        out[tail] += weights[k] * element_traits<T>::load(row[tail]);
    }
  }

 private:
  // Out of line: within a caller that has other things to keep in registers the chains lose theirs, which
  // costs gcc 12 a twentieth of a decoding step.
  template <std::size_t Batches, class RowOf>
  [[gnu::noinline]] static void mix_batches(const A* weights, std::size_t count, RowOf& row_of, std::size_t c,
                                            A factor, A* out) noexcept {
    batch even[Batches], odd[Batches];
    for (std::size_t b = 0; b < Batches; ++b) {
      // What lies in `out` before the first use may be anything: nought times it isn't nought.
      even[b] = factor == A(0) ? batch(A(0)) : op::load(out + c + b * op::lanes) * batch(factor);
      odd[b] = batch(A(0));
    }
    std::size_t k = 0;
    for (; k + 2 <= count; k += 2) {
      const T* const first = row_of(k) + c;
      const T* const second = row_of(k + 1) + c;
      const batch by_first(weights[k]), by_second(weights[k + 1]);
      for (std::size_t b = 0; b < Batches; ++b) {
        even[b] = op::fma(by_first, lanes_of::load(first + b * op::lanes), even[b]);
        odd[b] = op::fma(by_second, lanes_of::load(second + b * op::lanes), odd[b]);
      }
    }
    if (k < count) {
      const T* const last = row_of(k) + c;
      for (std::size_t b = 0; b < Batches; ++b)
        even[b] = op::fma(batch(weights[k]), lanes_of::load(last + b * op::lanes), even[b]);
    }
    for (std::size_t b = 0; b < Batches; ++b)
      op::store(even[b] + odd[b], out + c + b * op::lanes);
  }
};

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
