// Another engine's attention kernel: one pass over short blocks of keys with a running maximum, in the type
// that it computes in, and no map. It shares nothing with include/, rounds otherwise, and says each row's
// log-sum-exp, as flash-style kernels do.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "reference/attention.hpp"
#include "reference/calibration.hpp"

namespace reference {

template <class A>
struct kernel_result {
  std::vector<A> outputs;      // [batch, head, query, channel]; zeros in rows that see nothing
  std::vector<A> log_sum_exp;  // [batch, head, query]; NaN in rows that see nothing
  double largest_logit = 0;    // of those that lead their rows
};

/// `m` says who sees what: its weights aren't read.
template <class A>
kernel_result<A> online_softmax(const map& m, const tensor& q, const tensor& k, const tensor& v,
                                const attention_settings& s) {
  constexpr std::size_t block_keys = 13;
  constexpr A infinity = std::numeric_limits<A>::infinity();
  kernel_result<A> result;
  std::vector<A> mixed(v.channels), score(block_keys);
  for (std::size_t b = 0; b < m.batches; ++b) {
    for (std::size_t h = 0; h < m.heads; ++h) {
      const std::size_t group = h * k.heads / m.heads;
      for (std::size_t i = 0; i < m.queries; ++i) {
        // A learned sink is a key without a value that every row sees first.
        A running = s.sink_logits.empty() ? -infinity : static_cast<A>(s.sink_logits[h]);
        A sum = s.sink_logits.empty() ? A(0) : A(1);
        bool sees_any = false;
        std::fill(mixed.begin(), mixed.end(), A(0));
        for (std::size_t from = 0; from < m.keys; from += block_keys) {
          const std::size_t to = std::min(from + block_keys, m.keys);
          A largest = running;
          for (std::size_t j = from; j < to; ++j) {
            A& each = score[j - from];
            each = -infinity;
            if (!m.sees(b, i, j)) continue;
            sees_any = true;
            each = 0;
            for (std::size_t c = 0; c < q.channels; ++c)
              each += static_cast<A>(q.at(b, h, i, c)) * static_cast<A>(k.at(b, group, j, c));
            each *= static_cast<A>(s.scale);
            if (s.soft_cap > 0)
              each = static_cast<A>(s.soft_cap) * std::tanh(each / static_cast<A>(s.soft_cap));
            if (!s.slopes.empty())
              each -= static_cast<A>(s.slopes[h]) * static_cast<A>(m.query_offset + i - j);
            largest = std::max(largest, each);
          }
          if (largest == -infinity) continue;  // nothing so far
          const A rescale = std::exp(running - largest);
          sum *= rescale;
          for (A& each : mixed)
            each *= rescale;
          for (std::size_t j = from; j < to; ++j) {
            const A weight = std::exp(score[j - from] - largest);
            if (!m.sees(b, i, j)) continue;
            sum += weight;
            for (std::size_t c = 0; c < v.channels; ++c)
              mixed[c] += weight * static_cast<A>(v.at(b, group, j, c));
          }
          running = largest;
        }
        for (const A each : mixed)
          result.outputs.push_back(sees_any ? each / sum : A(0));
        result.log_sum_exp.push_back(sees_any ? running + std::log(sum)
                                              : std::numeric_limits<A>::quiet_NaN());
        if (sees_any)
          result.largest_logit = std::max(result.largest_logit, std::abs(static_cast<double>(running)));
      }
    }
  }
  return result;
}

}  // namespace reference
