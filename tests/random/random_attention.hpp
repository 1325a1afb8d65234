// Random Q, K and V for tests of the forms without a map: a few keys that draw attention, any type and
// layout.
#pragma once

#include <act/head_tensor.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include "random/random_numbers.hpp"
#include "reference/attention.hpp"

namespace act_test {

/// Owns a tensor [batch, head, token, channel], or [batch, token, head, channel] when `interleaved`.
template <class T>
class owned_tensor {
 public:
  owned_tensor(std::size_t batches, std::size_t heads, std::size_t tokens, std::size_t channels,
               bool interleaved)
      : numbers_(batches * heads * tokens * channels + 1, T(0)) {
    tensor_ = act::head_tensor<T>::packed(nullptr, batches, heads, tokens, channels);
    if (interleaved) {
      tensor_.token_stride = heads * channels;
      tensor_.head_stride = channels;
    }
    tensor_.data = numbers_.data() + 1;
  }
  owned_tensor(const owned_tensor&) = delete;
  owned_tensor& operator=(const owned_tensor&) = delete;

  [[nodiscard]] const act::head_tensor<T>& tensor() const { return tensor_; }
  [[nodiscard]] const std::vector<T>& numbers() const { return numbers_; }

  [[nodiscard]] reference::tensor to_reference() const {
    reference::tensor copy{tensor_.batches, tensor_.heads, tensor_.tokens, tensor_.channels, {}};
    for (std::size_t b = 0; b < tensor_.batches; ++b) {
      for (std::size_t h = 0; h < tensor_.heads; ++h) {
        for (std::size_t i = 0; i < tensor_.tokens; ++i) {
          for (std::size_t c = 0; c < tensor_.channels; ++c) {
            copy.numbers.push_back(static_cast<double>(tensor_.row(b, h, i)[c]));
          }
        }
      }
    }
    return copy;
  }

 private:
  std::vector<T> numbers_;
  act::head_tensor<T> tensor_;
};

template <class T>
struct random_attention {
  owned_tensor<T> q, k, v, out;

  random_attention(std::size_t batches, std::size_t heads, std::size_t kv_heads, std::size_t queries,
                   std::size_t keys, std::size_t channels, std::size_t value_channels, unsigned seed,
                   double draw = 3, bool interleaved = false)
      : q(batches, heads, queries, channels, interleaved),
        k(batches, kv_heads, keys, channels, interleaved),
        v(batches, kv_heads, keys, value_channels, interleaved),
        out(batches, heads, queries, value_channels, interleaved) {
    random_numbers random(seed);
    const auto fill = [&](const act::head_tensor<T>& t, double spread) {
      for (std::size_t b = 0; b < t.batches; ++b) {
        for (std::size_t h = 0; h < t.heads; ++h) {
          for (std::size_t i = 0; i < t.tokens; ++i) {
            for (std::size_t c = 0; c < t.channels; ++c)
              t.row(b, h, i)[c] = static_cast<T>(spread * random.normal());
          }
        }
      }
    };
    fill(q.tensor(), 0.7);
    fill(k.tensor(), 0.7);
    fill(v.tensor(), 1);
    // The first channel of every query is constant; some keys answer to it.
    for (std::size_t b = 0; b < batches; ++b) {
      for (std::size_t h = 0; h < heads; ++h) {
        for (std::size_t i = 0; i < queries; ++i)
          q.tensor().row(b, h, i)[0] = T(1);
      }
      for (std::size_t h = 0; h < kv_heads; ++h) {
        for (std::size_t j = 0; j < keys; ++j) {
          k.tensor().row(b, h, j)[0] =
              random.one_in(11) ? static_cast<T>(draw * std::sqrt(double(channels))) : T(0);
        }
      }
    }
  }
};

}  // namespace act_test
