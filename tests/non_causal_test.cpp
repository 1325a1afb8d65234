// Maps whose rows see all keys, wherever they stand (encoders, vision, cross attention): every form before
// the oracle, and what needs causal rows is refused.
#include <act/attention_weights.hpp>
#include <act/calibrate.hpp>
#include <act/calibrated_attention.hpp>
#include <act/column_scores.hpp>
#include <act/correct_output.hpp>
#include <act/decoding_attention.hpp>
#include <act/sinks.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "message_of.hpp"
#include "paths.hpp"
#include "random/random_attention.hpp"
#include "random/random_numbers.hpp"
#include "reference/attention.hpp"
#include "reference/calibration.hpp"

namespace {

/// Two batch entries of four heads: images with a [CLS], or prompts over another text of different length.
struct non_causal_case {
  static constexpr std::size_t batches = 2, heads = 4, kv_heads = 2;
  std::size_t queries, keys, channels, value_channels;
  std::vector<std::size_t> key_counts, first_key;

  explicit non_causal_case(unsigned seed) {
    act_test::random_numbers random(seed);
    queries = 1 + random.below(70);
    keys = 2 + random.below(90);
    channels = 1 + random.below(40);
    value_channels = 1 + random.below(40);
    if (random.one_in(2)) key_counts = {1 + random.below(keys), keys};
    if (random.one_in(3)) first_key = {random.below(2), random.below(keys)};
  }
  [[nodiscard]] act::visibility visible() const {
    act::visibility rows{.first_key = first_key, .key_counts = key_counts};
    if (key_counts.empty()) rows.all_keys = keys;
    return rows;
  }
  [[nodiscard]] reference::map oracle() const {
    reference::map m;
    m.batches = batches, m.heads = heads, m.queries = queries, m.keys = keys;
    m.first_key = first_key.empty() ? std::vector<std::size_t>(batches, 0) : first_key;
    m.all_keys = key_counts.empty() ? std::vector<std::size_t>(batches, keys) : key_counts;
    return m;
  }
};

/// Calibrates the oracle's map by the sinks that were found, once these are what it finds itself. Returns how
/// many there were.
std::size_t follow(reference::map& m, const act::calibration_report& report) {
  std::size_t found = 0;
  for (const act::head_report& each : report.heads) {
    std::vector<std::size_t> sinks;
    for (const act::sink& s : each.sinks)
      sinks.push_back(s.position);
    const std::vector<double> scores = reference::scores(m, each.batch, each.head);
    bool on_the_edge = false;
    for (std::size_t j = 0; j < m.keys; ++j) {
      const double threshold = reference::threshold(m, each.batch, j, {});
      on_the_edge = on_the_edge || std::abs(scores[j] - threshold) < 1e-5 * threshold;
    }
    if (!on_the_edge) CHECK(sinks == reference::sinks(m, each.batch, each.head, {}));
    const double moved = reference::calibrate(m, each.batch, each.head, sinks, 0.4);
    CHECK(each.moved_mass == doctest::Approx(moved).epsilon(1e-4));
    found += sinks.size();
  }
  return found;
}

template <class T>
double largest_error(const act::head_tensor<T>& out, const reference::map& m, const reference::tensor& v) {
  double worst = 0, largest = 1e-3;
  for (std::size_t b = 0; b < out.batches; ++b) {
    for (std::size_t h = 0; h < out.heads; ++h) {
      for (std::size_t i = 0; i < out.tokens; ++i) {
        for (std::size_t c = 0; c < out.channels; ++c) {
          const double expected = reference::mix(m, v, b, h, i, c);
          worst = std::max(worst, std::abs(static_cast<double>(out.row(b, h, i)[c]) - expected));
          largest = std::max(largest, std::abs(expected));
        }
      }
    }
  }
  return worst / largest;
}

}  // namespace

TEST_CASE_TEMPLATE("rows that see all keys: every form agrees with the oracle", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  using arch = typename path::arch;
  const double bound = sizeof(T) == 8 ? 1e-11 : 1e-5;
  std::size_t sinks = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const non_causal_case c(seed);
    const act_test::random_attention<T> x(c.batches, c.heads, c.kv_heads, c.queries, c.keys, c.channels,
                                          c.value_channels, seed);
    const reference::tensor v = x.v.to_reference();
    reference::map plain = c.oracle();
    reference::attend(
        plain, x.q.to_reference(), x.k.to_reference(),
        {.scale = 1 / std::sqrt(static_cast<double>(c.channels)), .slopes = {}, .sink_logits = {}});

    // The map, its scores, and the map calibrated.
    std::vector<T> weights(plain.weights.size());
    const auto map =
        act::attention_span<T>::packed(weights.data(), c.batches, c.heads, c.queries, c.keys, c.visible());
    act::attention_weights<T, arch>(x.q.tensor(), x.k.tensor(), map);
    for (std::size_t k = 0; k < weights.size(); ++k)
      CHECK(std::abs(static_cast<double>(weights[k]) - plain.weights[k]) <= bound);
    std::vector<double> scores(c.keys);
    act::column_scores<T, arch>(map, 1, 2, scores);
    const std::vector<double> expected_scores = reference::scores(plain, 1, 2);
    for (std::size_t j = 0; j < c.keys; ++j)
      CHECK(std::abs(scores[j] - expected_scores[j]) <= bound);
    reference::map calibrated = plain;
    sinks += follow(calibrated, act::calibrate<T, arch>(map, act::layer_heads::all()));
    for (std::size_t k = 0; k < weights.size(); ++k)
      CHECK(std::abs(static_cast<double>(weights[k]) - calibrated.weights[k]) <= bound);

    // From Q, K and V, weights kept and outputs corrected.
    for (const std::size_t kept : {act::attention_options{}.kept_weights, std::size_t{0}}) {
      CAPTURE(kept);
      const act::attention_options options{.visible = c.visible(), .kept_weights = kept};
      calibrated = plain;
      follow(calibrated,
             act::calibrated_attention<T, arch>(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(),
                                                act::layer_heads{0, 1, 3}, {}, options));
      CHECK(largest_error(x.out.tensor(), calibrated, v) <= bound);
    }

    // Another kernel's outputs.
    const act::attention_options options{.visible = c.visible()};
    act::calibrated_attention<T, arch>(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(), {}, {},
                                       options);
    CHECK(largest_error(x.out.tensor(), plain, v) <= bound);
    std::vector<act::accumulator_t<T>> log_sum_exp;
    const reference::tensor q = x.q.to_reference(), k = x.k.to_reference();
    for (std::size_t b = 0; b < c.batches; ++b) {
      for (std::size_t h = 0; h < c.heads; ++h) {
        for (std::size_t i = 0; i < c.queries; ++i) {
          double sum = 0;
          for (std::size_t j = 0; j < c.keys; ++j) {
            double score = 0;
            for (std::size_t n = 0; n < c.channels; ++n)
              score += q.at(b, h, i, n) * k.at(b, h / 2, j, n);
            if (plain.sees(b, i, j)) sum += std::exp(score / std::sqrt(static_cast<double>(c.channels)));
          }
          log_sum_exp.push_back(static_cast<act::accumulator_t<T>>(std::log(sum)));
        }
      }
    }
    calibrated = plain;
    follow(calibrated, act::correct_output<T, arch>(x.out.tensor(), log_sum_exp, x.q.tensor(), x.k.tensor(),
                                                    x.v.tensor(), act::layer_heads{2}, {}, options));
    CHECK(largest_error(x.out.tensor(), calibrated, v) <= 3 * bound);
  }
  CHECK(sinks > 100);
}

TEST_CASE("rows that see all keys, in chunks: carried sums give the whole map's sinks") {
  constexpr std::size_t queries = 45, keys = 60;
  const act_test::random_attention<float> x(1, 2, 1, queries, keys, 16, 16, 5);
  std::vector<float> weights(2 * queries * keys);
  const act::visibility visible{.all_keys = keys};
  const auto map = act::attention_span<float>::packed(weights.data(), 1, 2, queries, keys, visible);
  act::attention_weights(x.q.tensor(), x.k.tensor(), map);
  const std::vector<act::sink> expected = act::find_sinks(map, 0, 1);
  REQUIRE(!expected.empty());

  std::vector<double> carried(2 * keys);
  act::calibration_report report;
  for (std::size_t from = 0; from < queries; from += 15) {
    auto chunk = map;
    chunk.data += from * keys;
    chunk.queries = 15;
    chunk.visible.query_offset = from;
    report = act::calibrate(chunk, act::layer_heads::all(), {}, carried);
  }
  REQUIRE(report.heads[1].sinks.size() == expected.size());
  for (std::size_t s = 0; s < expected.size(); ++s) {
    CHECK(report.heads[1].sinks[s].position == expected[s].position);
    CHECK(report.heads[1].sinks[s].score == doctest::Approx(expected[s].score));
  }
}

TEST_CASE("rows that see all keys: the baseline is the uniform share, and the [CLS] is spared") {
  constexpr std::size_t n = 20;
  std::vector<float> weights;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j)
      weights.push_back(j == 0 || j == 7 ? 0.3F : 0.4F / (n - 2));
  }
  const auto map = act::attention_span<float>::packed(weights.data(), 1, 1, n, n, {.all_keys = n});
  act::sink_options options{.rule = act::sink_rule::baseline_corrected, .alpha = 5.9};
  const auto sinks = act::find_sinks(map, 0, 0, options);
  REQUIRE(sinks.size() == 1);  // 0.3 is 6 times 1 / 20; position 0 is the initial token
  CHECK(sinks[0].position == 7);
  options.alpha = 6.1;
  CHECK(act::find_sinks(map, 0, 0, options).empty());
}

TEST_CASE("what needs causal rows is refused where they aren't") {
  const act_test::random_attention<float> x(1, 2, 1, 4, 9, 8, 8, 1);
  const std::vector<float> slopes(2, 0.5F);
  const auto attend = [&](const act::attention_options& options,
                          const act::calibration_options& calibration = {}) {
    return act_test::message_of([&] {
      act::calibrated_attention(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(), {0}, calibration,
                                options);
    });
  };
  const act::visibility all{.all_keys = 9};
  CHECK(attend({.visible = all}).empty());
  CHECK(attend({.visible = all, .slopes = slopes}).find("causal") != std::string::npos);
  CHECK(attend({.visible = {.window = 3, .all_keys = 9}}).find("visible.window") != std::string::npos);
  CHECK(attend({.visible = {.all_keys = 10}}).find("visible.all_keys") != std::string::npos);
  const std::vector<std::size_t> none{0}, two{3, 3}, some{5};
  CHECK(attend({.visible = {.key_counts = none}}).find("visible.key_counts") != std::string::npos);
  CHECK(attend({.visible = {.key_counts = two}}).find("visible.key_counts") != std::string::npos);
  CHECK(attend({.visible = {.all_keys = 9, .key_counts = some}}).find("visible.all_keys") !=
        std::string::npos);
  CHECK(attend({.visible = all}, {.behave_as = act::compatibility::authors}).find("behave_as") !=
        std::string::npos);

  std::vector<act::sink_tracker> trackers(2);
  act::attention_workspace<float> workspace;
  CHECK(act_test::message_of([&] {
          act::decoding_attention(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(), {0}, trackers,
                                  {.visible = all}, workspace);
        }).find("causal") != std::string::npos);
  const std::vector<double> sums(9, 0.1);
  CHECK(act_test::message_of([&] { trackers[0].start(sums, all, 0, 4); }).find("causal") !=
        std::string::npos);
}
