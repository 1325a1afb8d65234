// Queries, keys, values and outputs in device memory, and what attention is told beside them:
// head_tensor.hpp's types for a device. For engines with a flash kernel of their own.
#pragma once

#include <act/cuda/attention_map.hpp>
#include <act/cuda/visibility.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

#include <cmath>
#include <cstddef>
#include <type_traits>

namespace act::inline ACT_ABI::cuda {

/// [batch, head, token, channel] in device memory, channels contiguous, strides in elements.
template <class T>
struct head_tensor {
  T* data = nullptr;
  std::size_t batches = 0;
  std::size_t heads = 0;
  std::size_t tokens = 0;
  std::size_t channels = 0;
  std::size_t batch_stride = 0;
  std::size_t head_stride = 0;
  std::size_t token_stride = 0;

  /// Contiguous, row-major.
  [[nodiscard]] static constexpr head_tensor packed(T* data, std::size_t batches, std::size_t heads,
                                                    std::size_t tokens, std::size_t channels) noexcept {
    return {data, batches, heads, tokens, channels, heads * tokens * channels, tokens * channels, channels};
  }

  /// A tensor that may be written reads as one that may not.
  template <class Const>
  requires(std::is_same_v<Const, const T> && !std::is_const_v<T>) constexpr operator head_tensor<Const>()
      const noexcept {
    return {data, batches, heads, tokens, channels, batch_stride, head_stride, token_stride};
  }
};

/// As act::attention_options, but `scale` below 1e30 either way and a `soft_cap` between 1e-30 and 1e30.
/// Pointers are to device memory.
struct attention_options {
  double scale = 0;  ///< 0: 1 / sqrt(channels of q)
  visibility visible = {};
  double soft_cap = 0;                 ///< c > 0: scores become c * tanh(score / c)
  const float* slopes = nullptr;       ///< ALiBi, one a head
  const float* sink_logits = nullptr;  ///< learned sinks, one a head: part of each row's log-sum-exp
};

namespace detail {

/// A tensor as kernels read it.
template <class T>
struct token_rows {
  T* data;
  std::size_t batch_stride, head_stride, token_stride;

  ACT_HOST_DEVICE T* row(int batch, int head, int token) const noexcept {
    return data +
           (static_cast<std::size_t>(batch) * batch_stride + static_cast<std::size_t>(head) * head_stride +
            static_cast<std::size_t>(token) * token_stride);
  }
};

template <class T>
[[nodiscard]] constexpr token_rows<T> rows_of(const head_tensor<T>& tensor) noexcept {
  return {tensor.data, tensor.batch_stride, tensor.head_stride, tensor.token_stride};
}

/// Everything about scores but q and k.
struct score_rules {
  float scale = 1, soft_cap = 0;
  const float* slopes = nullptr;
  const float* sink_logits = nullptr;

  /// A scaled dot product capped and biased, `distance` tokens from key to query.
  ACT_DEVICE float adjusted(float score, int head, int distance) const noexcept {
    if (soft_cap > 0) score = soft_cap * std::tanh(score / soft_cap);
    if (slopes != nullptr) score -= slopes[head] * static_cast<float>(distance);
    return score;
  }
  /// What the keys of a row weigh together: 1 but for a learned sink's share.
  ACT_DEVICE double mass(int head, float log_sum_exp) const noexcept {
    return sink_logits == nullptr ? 1.0 : static_cast<double>(1 - std::exp(sink_logits[head] - log_sum_exp));
  }
};

[[nodiscard]] inline score_rules rules_of(const attention_options& options, std::size_t channels) noexcept {
  const double scale = options.scale != 0 ? options.scale : 1 / std::sqrt(static_cast<double>(channels));
  return {static_cast<float>(scale), static_cast<float>(options.soft_cap), options.slopes,
          options.sink_logits};
}

}  // namespace detail
}  // namespace act::inline ACT_ABI::cuda
