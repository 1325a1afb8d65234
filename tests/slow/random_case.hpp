// One random case of attention for the slow test: shape, visibility, options and logits, all from its seed.
#pragma once

#include <act/head_tensor.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "random_attention.hpp"
#include "random_map.hpp"

namespace slow {

enum class logits {
  random,     // some keys draw attention
  all_equal,  // q = 0
  one_huge,   // one key far above the others, in places one that can't be seen
  minus_inf,  // every third key scores minus infinity
  denormal,   // most weights are denormal floats
};
inline constexpr const char* logits_names[] = {"random", "all equal", "one huge", "minus infinity",
                                               "denormal"};

struct random_case {
  unsigned seed;
  logits kind = logits::random;
  std::size_t batches = 1, heads = 1, kv_heads = 1, queries = 1, offset = 0, spare = 0, channels = 1,
              value_channels = 1, window = 0;
  std::vector<std::size_t> first_key;
  double soft_cap = 0, draw = 3;
  std::vector<float> slopes, sink_logits;
  bool interleaved = false;
  act_test::layout order = act_test::layout::packed;
  bool absolute_rule = false;
  double alpha = 5, beta = 0.4;

  explicit random_case(unsigned number) : seed(number) {
    std::mt19937 random(seed * 2654435761U + 1);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    kind = below(2) == 0 ? logits::random : logits{static_cast<int>(below(5))};
    // Mostly short; one in ten up to 1,000 tokens, one in 150 up to 4,096.
    const std::size_t size = below(150);
    const std::size_t most = size == 0 ? 4096 : size < 16 ? 1000 : size < 60 ? 300 : 64;
    const std::size_t tokens = most > 300 ? most / 4 + below(most - most / 4 + 1) : 1 + below(most);
    kv_heads = most > 300 ? 1 : 1 + below(2);
    heads = kv_heads * (most > 300 ? 1 : 1 + below(3));
    batches = most > 300 ? 1 : 1 + below(2);
    offset = below(3) == 0 ? below(tokens) : 0;
    queries = tokens - offset;
    spare = below(3) == 0 ? below(20) : 0;
    static constexpr std::size_t usual[] = {32, 64, 80, 96, 128, 256};
    channels = below(3) != 0 ? 1 + below(96) : usual[below(most > 300 ? 2 : 6)];
    value_channels = below(3) == 0 ? 1 + below(96) : channels;
    window = below(3) == 0 ? 2 + below(tokens) : 0;
    for (std::size_t b = 0; b < batches && seed % 3 == 0; ++b)
      first_key.push_back(below(below(4) == 0 ? tokens + 1 : tokens / 4 + 1));
    if (below(5) == 0) soft_cap = 2 + static_cast<double>(below(50));
    for (std::size_t h = 0; h < heads && seed % 4 == 1; ++h)
      slopes.push_back(std::ldexp(1.0F, -static_cast<int>(h) - 1));
    for (std::size_t h = 0; h < heads && seed % 5 == 2; ++h)
      sink_logits.push_back(static_cast<float>(below(80)) / 10 - 4);
    draw = below(3) == 0 ? 8 : 3;  // 8: rows that have nearly everything on sinks
    interleaved = below(2) == 0;
    order = act_test::layout{static_cast<int>(below(3))};
    absolute_rule = below(4) == 0;
    alpha = below(2) == 0 ? 5 : 1.5;
    beta = below(8) == 0 ? 0.0 : 0.4;
  }

  [[nodiscard]] std::size_t keys() const noexcept { return offset + queries + spare; }
  [[nodiscard]] std::size_t initial(std::size_t batch) const noexcept {
    return first_key.empty() ? 0 : first_key[batch];
  }
};

/// The case's queries, keys and values.
template <class T>
class case_inputs : public act_test::random_attention<T> {
 public:
  explicit case_inputs(const random_case& c)
      : act_test::random_attention<T>(c.batches, c.heads, c.kv_heads, c.queries, c.keys(), c.channels,
                                      c.value_channels, c.seed, c.draw, c.interleaved) {
    // Channel 0 of every query is 1, so channel 0 of a key sets its logit: shift * scale, above the rest.
    const double scale = 1 / std::sqrt(static_cast<double>(c.channels));
    std::mt19937 random(c.seed);
    for (std::size_t b = 0; b < c.batches; ++b) {
      for (std::size_t h = 0; h < c.heads && c.kind == logits::all_equal; ++h) {
        for (std::size_t i = 0; i < c.queries; ++i)
          std::fill_n(this->q.tensor().row(b, h, i), c.channels, T(0));
      }
      for (std::size_t h = 0; h < c.kv_heads; ++h) {
        const std::size_t huge = random() % c.keys();
        for (std::size_t j = 0; j < c.keys(); ++j) {
          T& logit = this->k.tensor().row(b, h, j)[0];
          if (c.kind == logits::one_huge && j == huge) logit = static_cast<T>(300 / scale);
          if (c.kind == logits::minus_inf && j % 3 == 1 && j != c.initial(b))
            logit = static_cast<T>(-std::numeric_limits<float>::infinity());
          if (c.kind == logits::denormal && random() % 4 != 0)
            logit = static_cast<T>((-94 - 0.1 * static_cast<double>(random() % 50)) / scale);
        }
      }
    }
  }
};

}  // namespace slow
