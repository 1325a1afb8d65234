// Output correction: from O and LSE, the same as fused and by map.
#include <act/calibrated_attention.hpp>
#include <act/correct_output.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "paths.hpp"
#include "random/random_attention.hpp"
#include "random/random_map.hpp"

using act_test::random_attention;

namespace {

struct shape {
  std::size_t heads = 4, kv_heads = 2, queries = 50, offset = 0, window = 0, channels = 24;
  std::vector<std::size_t> first_key = {};
  std::vector<float> sink_logits = {};
  double draw = 3;
};

/// log-sum-exp of every row, from the oracle's weights: score - log(weight) of any visible key.
template <class T>
std::vector<T> log_sum_exp(const reference::map& m, const reference::tensor& q, const reference::tensor& k,
                           double scale) {
  std::vector<T> lse;
  for (std::size_t h = 0; h < m.heads; ++h) {
    for (std::size_t i = 0; i < m.queries; ++i) {
      double value = std::numeric_limits<double>::quiet_NaN(), most = 0;
      for (std::size_t j = 0; j < m.keys; ++j) {
        if (!m.sees(0, i, j) || m.at(0, h, i, j) <= most) continue;
        most = m.at(0, h, i, j);
        double score = 0;
        for (std::size_t c = 0; c < q.channels; ++c)
          score += q.at(0, h, i, c) * k.at(0, h * k.heads / q.heads, j, c);
        value = score * scale - std::log(most);
      }
      lse.push_back(static_cast<T>(value));
    }
  }
  return lse;
}

}  // namespace

TEST_CASE_TEMPLATE("corrected outputs equal fused ones", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  const std::vector<shape> shapes{{},
                                  {.queries = 1, .offset = 70},
                                  {.queries = 70, .window = 17},
                                  {.queries = 33, .offset = 9, .first_key = {4}},
                                  {.sink_logits = {0.5F, -1, 2, 0}},
                                  {.draw = 9}};
  unsigned seed = 0;
  for (const shape& s : shapes) {
    ++seed;
    CAPTURE(seed);
    const std::size_t keys = s.offset + s.queries;
    random_attention<T> x(1, s.heads, s.kv_heads, s.queries, keys, s.channels, s.channels, seed, s.draw);
    const act::attention_options options{.visible = {s.offset, s.first_key, s.window},
                                         .sink_logits = s.sink_logits};
    const auto fused = act::calibrated_attention<T, typename path::arch>(
        x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(), {0, 2, 3}, {}, options);
    const std::vector<T> expected = x.out.numbers();

    reference::map m{.heads = s.heads,
                     .queries = s.queries,
                     .keys = keys,
                     .query_offset = s.offset,
                     .window = s.window,
                     .first_key = s.first_key,
                     .weights = {}};
    if (m.first_key.empty()) m.first_key.assign(1, 0);
    const double scale = 1 / std::sqrt(static_cast<double>(s.channels));
    reference::attend(m, x.q.to_reference(), x.k.to_reference(),
                      {scale, 0, {}, {s.sink_logits.begin(), s.sink_logits.end()}});
    const auto lse = log_sum_exp<T>(m, x.q.to_reference(), x.k.to_reference(), scale);
    std::vector<double> scores;
    for (std::size_t h = 0; h < s.heads; ++h) {
      for (const double each : reference::scores(m, 0, h))
        scores.push_back(each);
    }
    for (const bool given : {false, true}) {
      act::calibrated_attention<T, typename path::arch>(x.q.tensor(), x.k.tensor(), x.v.tensor(),
                                                        x.out.tensor(), {}, {},
                                                        options);  // another kernel's plain attention
      const auto report = act::correct_output<T, typename path::arch>(
          x.out.tensor(), lse, x.q.tensor(), x.k.tensor(), x.v.tensor(), {0, 2, 3}, {}, options,
          given ? std::span<const double>(scores) : std::span<const double>{});
      REQUIRE(report.heads.size() == 3);
      for (std::size_t h = 0; h < 3; ++h)
        CHECK(report.heads[h].sinks.size() == fused.heads[h].sinks.size());
      const double bound = sizeof(T) == 8 ? 1e-11 : 3e-5;
      for (std::size_t at = 0; at < expected.size(); ++at) {
        CHECK(std::abs(static_cast<double>(x.out.numbers()[at] - expected[at])) <= bound);
      }
    }
  }
}

TEST_CASE("outputs, sums and scores of the wrong size are refused before the first write") {
  random_attention<float> x(1, 2, 2, 8, 8, 4, 4, 1);
  const auto before = x.out.numbers();
  const std::vector<float> short_lse(15), lse(16);
  const std::vector<double> short_scores(15);
  const auto all = act::layer_heads::all();
  CHECK_THROWS_AS(
      act::correct_output<float>(x.out.tensor(), short_lse, x.q.tensor(), x.k.tensor(), x.v.tensor(), all),
      act::error);
  CHECK_THROWS_AS(act::correct_output<float>(x.out.tensor(), lse, x.q.tensor(), x.k.tensor(), x.v.tensor(),
                                             all, {}, {}, short_scores),
                  act::error);
  CHECK(act_test::same_bits(x.out.numbers(), before));
}
