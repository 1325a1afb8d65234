// Cases of attention: shape, visibility, options and logits, chosen one by one or drawn from a seed, and what
// every test makes of them: queries, keys and values, the options of a call, the double oracle's map.
#pragma once

#include <act/head_tensor.hpp>
#include <act/options.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "random/random_attention.hpp"
#include "random/random_map.hpp"
#include "random/random_numbers.hpp"
#include "reference/attention.hpp"

namespace act_test {

enum class logits {
  random,     // some keys draw attention
  all_equal,  // q = 0
  one_huge,   // one key far above the others, in places one that can't be seen
  minus_inf,  // every third key scores minus infinity
  denormal,   // most weights are denormal floats
};
inline constexpr const char* logits_names[] = {"random", "all equal", "one huge", "minus infinity",
                                               "denormal"};

struct attention_case {
  unsigned seed = 1;  // of the numbers
  logits kind = logits::random;
  std::size_t batches = 1, heads = 2, kv_heads = 1, queries = 1, offset = 0, spare = 0, channels = 8,
              value_channels = 8, window = 0;
  std::vector<std::size_t> first_key = {};
  double soft_cap = 0, draw = 3;
  std::vector<float> slopes = {}, sink_logits = {};
  bool interleaved = false;
  layout order = layout::packed;  // of the map, where a test has one
  bool absolute_rule = false;
  double alpha = 5, beta = 0.4;
  std::size_t position_limit = 0;
  std::size_t kept_weights = act::attention_options{}.kept_weights;

  [[nodiscard]] std::size_t keys() const noexcept { return offset + queries + spare; }
  [[nodiscard]] std::size_t initial(std::size_t batch) const noexcept {
    return first_key.empty() ? 0 : first_key[batch];
  }

  /// Refers to the case's own padding, slopes and sink logits.
  [[nodiscard]] act::attention_options options() const {
    return {.visible = {offset, first_key, window},
            .soft_cap = soft_cap,
            .slopes = slopes,
            .sink_logits = sink_logits,
            .kept_weights = kept_weights};
  }
  [[nodiscard]] act::calibration_options calibration() const {
    act::calibration_options result;
    result.sinks.rule = absolute_rule ? act::sink_rule::absolute : act::sink_rule::relative;
    result.sinks.alpha = alpha;
    result.sinks.position_limit = position_limit;
    result.beta = beta;
    return result;
  }

  /// The same in the oracle's form.
  [[nodiscard]] reference::attention_settings reference_attention() const {
    return {1 / std::sqrt(static_cast<double>(channels)),
            soft_cap,
            {slopes.begin(), slopes.end()},
            {sink_logits.begin(), sink_logits.end()}};
  }
  [[nodiscard]] reference::settings reference_calibration() const {
    return {.sinks = absolute_rule ? reference::rule::absolute : reference::rule::relative,
            .alpha = alpha,
            .beta = beta,
            .position_limit = position_limit};
  }
  /// The oracle's map, before calibration.
  [[nodiscard]] reference::map plain_map(const reference::tensor& q, const reference::tensor& k) const {
    reference::map m{.batches = batches,
                     .heads = heads,
                     .queries = queries,
                     .keys = keys(),
                     .query_offset = offset,
                     .window = window,
                     .first_key = first_key,
                     .weights = {}};
    if (m.first_key.empty()) m.first_key.assign(batches, 0);
    reference::attend(m, q, k, reference_attention());
    return m;
  }
};

/// Up to 80 rows: for tests of one form, on every path.
inline attention_case short_case(unsigned seed) {
  random_numbers random(seed * 104729);
  attention_case c;
  c.seed = seed;
  c.batches = 1 + random.below(2);
  c.kv_heads = 1 + random.below(2);
  c.heads = c.kv_heads * (1 + random.below(3));
  c.queries = 1 + random.below(80);
  c.offset = random.one_in(3) ? random.below(70) : 0;
  c.spare = random.one_in(3) ? random.below(9) : 0;
  c.channels = 1 + random.below(70);
  c.value_channels = 1 + random.below(70);
  c.window = random.one_in(3) ? 1 + random.below(40) : 0;
  if (random.one_in(3)) {
    for (std::size_t b = 0; b < c.batches; ++b)
      c.first_key.push_back(random.below(c.queries + 1));
  }
  c.soft_cap = random.one_in(4) ? 5.0 : 0.0;
  for (std::size_t h = 0; h < c.heads; ++h) {
    if (seed % 4 == 1) c.slopes.push_back(std::ldexp(1.0F, -static_cast<int>(h) - 1));
    if (seed % 5 == 2) c.sink_logits.push_back(static_cast<float>(h) - 1);
  }
  c.draw = seed % 3 == 0 ? 8 : 3;  // 8: rows that have nearly everything on sinks
  c.interleaved = random.one_in(2);
  if (random.one_in(4)) c.position_limit = 1 + random.below(c.keys());
  return c;
}

/// Anything: mostly short; one in ten up to 1,000 tokens, one in 150 up to 4,096; all rules and logits. The
/// largest errors that docs/core.md states are of these cases: they stay what they are.
inline attention_case any_case(unsigned seed) {
  random_numbers random(seed * 2654435761U + 1);
  attention_case c;
  c.seed = seed;
  c.kind = random.one_in(2) ? logits::random : logits{static_cast<int>(random.below(5))};
  const std::size_t size = random.below(150);
  const std::size_t most = size == 0 ? 4096 : size < 16 ? 1000 : size < 60 ? 300 : 64;
  const std::size_t tokens =
      most > 300 ? most / 4 + random.below(most - most / 4 + 1) : 1 + random.below(most);
  c.kv_heads = most > 300 ? 1 : 1 + random.below(2);
  c.heads = c.kv_heads * (most > 300 ? 1 : 1 + random.below(3));
  c.batches = most > 300 ? 1 : 1 + random.below(2);
  c.offset = random.one_in(3) ? random.below(tokens) : 0;
  c.queries = tokens - c.offset;
  c.spare = random.one_in(3) ? random.below(20) : 0;
  static constexpr std::size_t usual[] = {32, 64, 80, 96, 128, 256};
  c.channels = random.below(3) != 0 ? 1 + random.below(96) : usual[random.below(most > 300 ? 2 : 6)];
  c.value_channels = random.one_in(3) ? 1 + random.below(96) : c.channels;
  c.window = random.one_in(3) ? 2 + random.below(tokens) : 0;
  for (std::size_t b = 0; b < c.batches && seed % 3 == 0; ++b)
    c.first_key.push_back(random.below(random.one_in(4) ? tokens + 1 : tokens / 4 + 1));
  if (random.one_in(5)) c.soft_cap = 2 + static_cast<double>(random.below(50));
  for (std::size_t h = 0; h < c.heads && seed % 4 == 1; ++h)
    c.slopes.push_back(std::ldexp(1.0F, -static_cast<int>(h) - 1));
  for (std::size_t h = 0; h < c.heads && seed % 5 == 2; ++h)
    c.sink_logits.push_back(static_cast<float>(random.below(80)) / 10 - 4);
  c.draw = random.one_in(3) ? 8 : 3;  // 8: rows that have nearly everything on sinks
  c.interleaved = random.one_in(2);
  c.order = layout{static_cast<int>(random.below(3))};
  c.absolute_rule = random.one_in(4);
  c.alpha = random.one_in(2) ? 5 : 1.5;
  c.beta = random.one_in(8) ? 0.0 : 0.4;
  if (seed % 2 != 0) c.kept_weights = 0;
  return c;
}

/// The case's queries, keys and values, and where its outputs go.
template <class T>
class case_inputs : public random_attention<T> {
 public:
  explicit case_inputs(const attention_case& c)
      : random_attention<T>(c.batches, c.heads, c.kv_heads, c.queries, c.keys(), c.channels, c.value_channels,
                            c.seed, c.draw, c.interleaved) {
    // Channel 0 of every query is 1, so channel 0 of a key sets its logit: shift * scale, above the rest.
    const double scale = 1 / std::sqrt(static_cast<double>(c.channels));
    random_numbers random(c.seed);
    for (std::size_t b = 0; b < c.batches; ++b) {
      for (std::size_t h = 0; h < c.heads && c.kind == logits::all_equal; ++h) {
        for (std::size_t i = 0; i < c.queries; ++i)
          std::fill_n(this->q.tensor().row(b, h, i), c.channels, T(0));
      }
      for (std::size_t h = 0; h < c.kv_heads; ++h) {
        const std::size_t huge = random.below(c.keys());
        for (std::size_t j = 0; j < c.keys(); ++j) {
          T& logit = this->k.tensor().row(b, h, j)[0];
          if (c.kind == logits::one_huge && j == huge) logit = static_cast<T>(300 / scale);
          if (c.kind == logits::minus_inf && j % 3 == 1 && j != c.initial(b))
            logit = static_cast<T>(-std::numeric_limits<float>::infinity());
          if (c.kind == logits::denormal && random.below(4) != 0)
            logit = static_cast<T>((-94 - 0.1 * static_cast<double>(random.below(50))) / scale);
        }
      }
    }
  }
};

}  // namespace act_test
