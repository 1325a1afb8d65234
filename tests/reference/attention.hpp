// The double-precision oracle of attention: scores, mask, softmax and the product with the values, with the
// whole map.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "reference/calibration.hpp"

namespace reference {

/// [batch, head, token, channel], packed.
struct tensor {
  std::size_t batches = 1, heads = 1, tokens = 0, channels = 0;
  std::vector<double> numbers;
  double at(std::size_t b, std::size_t h, std::size_t i, std::size_t c) const {
    return numbers[((b * heads + h) * tokens + i) * channels + c];
  }
};

struct attention_settings {
  double scale = 1, soft_cap = 0;
  std::vector<double> slopes, sink_logits;
};

/// Fills the weights of `m`, whose shape and visibility are set.
inline void attend(map& m, const tensor& q, const tensor& k, const attention_settings& s) {
  m.weights.assign(m.batches * m.heads * m.queries * m.keys, 0.0);
  for (std::size_t b = 0; b < m.batches; ++b) {
    for (std::size_t h = 0; h < m.heads; ++h) {
      for (std::size_t i = 0; i < m.queries; ++i) {
        std::vector<double> score(m.keys, -std::numeric_limits<double>::infinity());
        double largest = -std::numeric_limits<double>::infinity();
        for (std::size_t j = 0; j < m.keys; ++j) {
          if (!m.sees(b, i, j)) continue;
          double sum = 0;
          for (std::size_t c = 0; c < q.channels; ++c)
            sum += q.at(b, h, i, c) * k.at(b, h * k.heads / q.heads, j, c);
          sum *= s.scale;
          if (s.soft_cap > 0) sum = s.soft_cap * std::tanh(sum / s.soft_cap);
          if (!s.slopes.empty()) sum -= s.slopes[h] * static_cast<double>(m.query_offset + i - j);
          score[j] = sum;
          largest = std::fmax(largest, sum);
        }
        double sum = s.sink_logits.empty() ? 0 : std::exp(s.sink_logits[h] - largest);
        for (std::size_t j = 0; j < m.keys; ++j) {
          if (m.sees(b, i, j)) sum += std::exp(score[j] - largest);
        }
        for (std::size_t j = 0; j < m.keys; ++j) {
          if (m.sees(b, i, j)) m.at(b, h, i, j) = std::exp(score[j] - largest) / sum;
        }
      }
    }
  }
}

/// One output element: row i of head h times channel c of the values.
inline double mix(const map& m, const tensor& v, std::size_t b, std::size_t h, std::size_t i, std::size_t c) {
  double sum = 0;
  for (std::size_t j = 0; j < m.keys; ++j)
    sum += m.at(b, h, i, j) * v.at(b, h * v.heads / m.heads, j, c);
  return sum;
}

}  // namespace reference
