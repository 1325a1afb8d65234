// Queries, keys, values and outputs of attention as an engine has them, and what attention is told beside
// them. For the forms of calibration that never see a map. Not a tensor library: four axes, channels
// contiguous.
#pragma once

#include <act/attention_view.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <span>
#include <type_traits>

namespace act::inline ACT_ABI {

/// Queries, keys, values or outputs: [batch, head, token, channel], channels contiguous, strides in elements.
template <class T>
struct head_tensor {
  T* data = nullptr;             ///< element [0, 0, 0, 0]
  std::size_t batches = 0;       ///< batch entries, B
  std::size_t heads = 0;         ///< H of queries and outputs, G of keys and values
  std::size_t tokens = 0;        ///< rows of a head
  std::size_t channels = 0;      ///< elements of a row
  std::size_t batch_stride = 0;  ///< from a batch entry to the next
  std::size_t head_stride = 0;   ///< from a head to the next
  std::size_t token_stride = 0;  ///< from a row to the next

  /// Contiguous, row-major.
  /// @param data its first element
  /// @param batches,heads,tokens,channels the four extents
  /// @return the tensor; owns nothing
  [[nodiscard]] static constexpr head_tensor packed(T* data, std::size_t batches, std::size_t heads,
                                                    std::size_t tokens, std::size_t channels) noexcept {
    return {data, batches, heads, tokens, channels, heads * tokens * channels, tokens * channels, channels};
  }

  /// @param batch,head,token which row
  /// @return its first element
  [[nodiscard]] constexpr T* row(std::size_t batch, std::size_t head, std::size_t token) const noexcept {
    return data + (batch * batch_stride + head * head_stride + token * token_stride);
  }

  /// @param batch a batch entry
  /// @param count how many of its rows, the first ones
  /// @return these, as a tensor of one batch entry
  [[nodiscard]] constexpr head_tensor entry(std::size_t batch, std::size_t count) const noexcept {
    return {data + batch * batch_stride, 1, heads, count, channels, batch_stride, head_stride, token_stride};
  }

  /// @return the same tensor, read-only
  constexpr operator head_tensor<const T>() const noexcept requires(!std::is_const_v<T>) {
    return {data, batches, heads, tokens, channels, batch_stride, head_stride, token_stride};
  }
};

/// Values of the type of the keys `C` (const or not), read-only.
template <class C>
using values_of = head_tensor<const std::remove_const_t<C>>;

/// What attention itself is told. Scores are scale * q . k, then capped, then biased.
struct attention_options {
  double scale = 0;                    ///< 0: 1 / sqrt(channels of q)
  visibility visible = {};             ///< query offset, left padding, sliding window
  double soft_cap = 0;                 ///< c > 0: scores become c * tanh(score / c)
  std::span<const float> slopes = {};  ///< ALiBi, one a head: slope * (key - query position) is added
  std::span<const float> sink_logits =
      {};  ///< learned sinks, one a head: exp(logit) joins each row's denominator
  /// Bytes of one head's weights that a thread may keep until that head's sinks are known: what 1,024 causal
  /// queries have in float. Heads with more are corrected from their outputs. Which of both is a matter of
  /// speed and memory: results differ by rounding. 0: never keep. See calibrated_attention.hpp.
  std::size_t kept_weights = std::size_t{5} << 19;
};

}  // namespace act::inline ACT_ABI
