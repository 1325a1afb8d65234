// What a flash kernel leaves behind: plain outputs and each row's log-sum-exp, computed in double.
#pragma once

#include <act/head_tensor.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "random/random_attention.hpp"

namespace act_test {

/// Fills of.out and returns the log-sum-exps [batch, head, query].
template <class T>
std::vector<float> attend_plainly(random_attention<T>& of, const act::attention_options& options) {
  const auto &q = of.q.tensor(), &k = of.k.tensor(), &v = of.v.tensor(), &out = of.out.tensor();
  const double scale = options.scale != 0 ? options.scale : 1 / std::sqrt(static_cast<double>(q.channels));
  std::vector<float> result;
  for (std::size_t b = 0; b < q.batches; ++b) {
    for (std::size_t h = 0; h < q.heads; ++h) {
      for (std::size_t i = 0; i < q.tokens; ++i) {
        const act::key_range seen = options.visible.row(b, i);
        const std::size_t kv = h / (q.heads / k.heads);
        std::vector<double> score(k.tokens);
        double largest = -std::numeric_limits<double>::infinity();
        for (std::size_t j = seen.begin; j < seen.end; ++j) {
          double sum = 0;
          for (std::size_t c = 0; c < q.channels; ++c)
            sum += static_cast<double>(q.row(b, h, i)[c]) * static_cast<double>(k.row(b, kv, j)[c]);
          sum *= scale;
          if (options.soft_cap > 0) sum = options.soft_cap * std::tanh(sum / options.soft_cap);
          if (!options.slopes.empty()) {
            sum -= static_cast<double>(options.slopes[h]) *
                   static_cast<double>(options.visible.query_offset + i - j);
          }
          score[j] = sum;
          largest = std::fmax(largest, sum);
        }
        double total = options.sink_logits.empty() || seen.empty()
                           ? 0
                           : std::exp(static_cast<double>(options.sink_logits[h]) - largest);
        for (std::size_t j = seen.begin; j < seen.end; ++j)
          total += std::exp(score[j] - largest);
        const double lse = largest + std::log(total);
        result.push_back(static_cast<float>(lse));
        for (std::size_t c = 0; c < v.channels; ++c) {
          double sum = 0;
          for (std::size_t j = seen.begin; j < seen.end; ++j)
            sum += std::exp(score[j] - lse) * static_cast<double>(v.row(b, kv, j)[c]);
          out.row(b, h, i)[c] = static_cast<T>(sum);
        }
      }
    }
  }
  return result;
}

}  // namespace act_test
