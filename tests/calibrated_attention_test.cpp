// Fused attention: plain and calibrated outputs against the oracle's whole maps, over shapes, types and
// options.
#include <act/attention_weights.hpp>
#include <act/calibrate.hpp>
#include <act/calibrated_attention.hpp>
#include <act/half.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "paths.hpp"
#include "random/random_attention.hpp"
#include "random/random_case.hpp"
#include "random/random_map.hpp"

using act_test::attention_case;
using act_test::case_inputs;
using act_test::random_attention;

namespace {

/// The two ways to calibrate: weights that are kept, and outputs that are corrected.
constexpr std::size_t kept_weights_of_each_way[] = {act::attention_options{}.kept_weights, 0};

/// Largest difference of an output from the oracle's, relative to the largest output; all heads calibrated
/// but the last.
template <class T, class Arch>
double largest_error(const attention_case& c, std::size_t* sinks_found = nullptr) {
  const case_inputs<T> x(c);
  std::vector<std::size_t> chosen;
  for (std::size_t h = 0; h + 1 < c.heads; ++h)
    chosen.push_back(h);
  const auto report = act::calibrated_attention<T, Arch>(
      x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(), act::layer_heads(chosen), {}, c.options());
  REQUIRE(report.heads.size() == c.batches * chosen.size());

  reference::map m = c.plain_map(x.q.to_reference(), x.k.to_reference());
  for (const act::head_report& each : report.heads) {
    const std::vector<double> scores = reference::scores(m, each.batch, each.head);
    std::vector<std::size_t> sinks;
    for (const act::sink& s : each.sinks) {
      sinks.push_back(s.position);
      CHECK(std::abs(s.score - scores[s.position]) <= 1e-5 * scores[s.position]);
    }
    if (sinks_found != nullptr) *sinks_found += sinks.size();
    bool on_the_edge = false;
    for (std::size_t j = 0; j < c.keys(); ++j) {
      const double threshold = reference::threshold(m, each.batch, j, {});
      on_the_edge = on_the_edge || std::abs(scores[j] - threshold) < 1e-5 * threshold;
    }
    if (!on_the_edge) CHECK(sinks == reference::sinks(m, each.batch, each.head, {}));
    const double moved = reference::calibrate(m, each.batch, each.head, sinks, 0.4);
    CHECK(each.moved_mass == doctest::Approx(moved).epsilon(1e-4));
  }
  const reference::tensor v = x.v.to_reference();
  double worst = 0, largest = 0;
  for (std::size_t b = 0; b < c.batches; ++b) {
    for (std::size_t h = 0; h < c.heads; ++h) {
      for (std::size_t i = 0; i < c.queries; ++i) {
        for (std::size_t n = 0; n < c.value_channels; ++n) {
          const double expected = reference::mix(m, v, b, h, i, n);
          const double got = static_cast<double>(x.out.tensor().row(b, h, i)[n]);
          CHECK(std::isfinite(got));
          worst = std::max(worst, std::abs(got - expected));
          largest = std::max(largest, std::abs(expected));
        }
      }
    }
  }
  return largest == 0 ? worst : worst / largest;
}

}  // namespace

TEST_CASE_TEMPLATE("fused attention agrees with the oracle", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  double worst = 0;
  std::size_t sinks = 0;
  for (unsigned seed = 1; seed <= 80; ++seed) {
    CAPTURE(seed);
    for (const std::size_t kept : kept_weights_of_each_way) {
      CAPTURE(kept);
      attention_case c = act_test::short_case(seed);
      c.kept_weights = kept;
      const double error = largest_error<T, typename path::arch>(c, &sinks);
      CHECK(error <= (sizeof(T) == 8 ? 1e-11 : 1e-5));
      worst = std::max(worst, error);
    }
  }
  CHECK(sinks > 100);
  MESSAGE("largest error relative to the largest output: " << worst << ", " << sinks << " sinks");
}

TEST_CASE_TEMPLATE("half inputs agree to the output's rounding", Half, act::float16, act::bfloat16) {
  const double unit = std::is_same_v<Half, act::float16> ? 0x1p-11 : 0x1p-8;
  for (unsigned seed = 1; seed <= 25; ++seed) {
    CAPTURE(seed);
    for (const std::size_t kept : kept_weights_of_each_way) {
      CAPTURE(kept);
      attention_case c = act_test::short_case(seed);
      c.kept_weights = kept;
      CHECK(largest_error<Half, act::simd::default_arch>(c) <= unit + 1e-5);
    }
  }
}

TEST_CASE("a prompt too long for its weights to be kept, and one that just fits") {
  const auto workspace_bytes = [](std::size_t queries, std::size_t kept) {
    random_attention<float> x(1, 1, 1, queries, queries, 4, 4, 1);
    act::attention_workspace<float> workspace;
    act::calibration_report report;
    act::set_thread_count(1);
    act::calibrated_attention<float>(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(),
                                     act::layer_heads::all(), {}, {.kept_weights = kept}, workspace, report);
    CHECK(act::calibrated_attention_bytes<float>(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(),
                                                 act::layer_heads::all(), {},
                                                 {.kept_weights = kept}) == workspace.bytes());
    act::set_thread_count(0);
    return workspace.bytes();
  };
  const std::size_t limit = act::attention_options{}.kept_weights;
  CHECK(workspace_bytes(1024, limit) > workspace_bytes(1024, 0) + (std::size_t{1} << 20));
  CHECK(workspace_bytes(1200, limit) == workspace_bytes(1200, 0));
  for (const std::size_t queries : {1024UL, 1200UL}) {
    for (const double draw : {3.0, 6.0}) {  // some on sinks, most of it
      const attention_case c{
          .seed = 3, .queries = queries, .channels = 24, .value_channels = 10, .draw = draw};
      CHECK(largest_error<float, act::simd::default_arch>(c) <= 1e-5);
    }
  }
}

TEST_CASE("every head size and every length around the block") {
  for (const std::size_t kept : kept_weights_of_each_way) {
    CAPTURE(kept);
    for (std::size_t channels = 1; channels <= 68; ++channels) {
      const attention_case c{
          .queries = 20, .channels = channels, .value_channels = channels, .kept_weights = kept};
      CHECK(largest_error<float, act::simd::default_arch>(c) <= 1e-5);
    }
    for (std::size_t queries = 1; queries <= 68; ++queries) {
      const attention_case c{.seed = 2, .queries = queries, .kept_weights = kept};
      CHECK(largest_error<float, act::simd::default_arch>(c) <= 1e-5);
    }
  }
}

TEST_CASE("threads and a reused workspace change nothing, no head chosen is plain attention") {
  std::size_t kept = 0;
  const auto run = [&](std::size_t threads, const act::layer_heads& heads) {
    act::set_thread_count(threads);
    random_attention<float> x(2, 6, 3, 90, 90, 32, 32, 5);
    act::attention_workspace<float> workspace;
    act::calibration_report report;
    for (int round = 0; round < 2; ++round) {
      act::calibrated_attention<float>(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(), heads, {},
                                       {.kept_weights = kept}, workspace, report);
    }
    act::set_thread_count(0);
    return x.out.numbers();
  };
  for (const std::size_t each_way : kept_weights_of_each_way) {
    kept = each_way;
    CAPTURE(kept);
    const auto alone = run(1, act::layer_heads::all());
    CHECK(act_test::same_bits(run(2, act::layer_heads::all()), alone));
    CHECK(act_test::same_bits(run(5, act::layer_heads::all()), alone));
    const auto plain = run(1, {});
    CHECK_FALSE(act_test::same_bits(plain, alone));
    const auto some = run(2, {0, 5});
    for (std::size_t at = 1; at < some.size(); ++at) {
      const std::size_t head = (at - 1) / (90 * 32) % 6;
      CHECK(some[at] == (head == 0 || head == 5 ? alone : plain)[at]);
    }
  }
}

TEST_CASE_TEMPLATE("a row is the same to the bit whatever rows are beside it, where they are more than six",
                   path, ACT_TEST_PATHS) {
  using T = typename path::element;
  constexpr std::size_t tokens = 90, channels = 20;
  for (const std::size_t window : {std::size_t{0}, std::size_t{13}, std::size_t{64}}) {
    CAPTURE(window);
    random_attention<T> x(1, 2, 1, tokens, tokens, channels, channels, 7);
    const auto attend = [&](std::size_t first) {
      act::head_tensor<const T> q = x.q.tensor();
      q.data = q.row(0, 0, first);
      q.tokens = tokens - first;
      auto out = std::make_unique<act_test::owned_tensor<T>>(1, 2, tokens - first, channels, false);
      act::calibrated_attention<T, typename path::arch>(
          q, x.k.tensor(), x.v.tensor(), out->tensor(), {}, {},
          {.visible = {.query_offset = first, .window = window}});
      return out;
    };
    const auto whole = attend(0);
    for (std::size_t first = 1; first + 6 < tokens; ++first) {
      CAPTURE(first);
      const auto rest = attend(first);
      for (std::size_t head = 0; head < 2; ++head) {
        for (std::size_t i = first; i < tokens; ++i) {
          const T* const expected = whole->tensor().row(0, head, i);
          CHECK(std::equal(expected, expected + channels, rest->tensor().row(0, head, i - first)));
        }
      }
    }
  }
}

TEST_CASE("sums carried over chunks find the whole prompt's sinks") {
  random_attention<float> x(1, 2, 2, 60, 60, 16, 16, 7);
  const auto whole = act::calibrated_attention(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(),
                                               act::layer_heads::all());
  act::calibration_report last;
  std::vector<double> sums;
  for (std::size_t from = 0; from < 60; from += 25) {
    auto q = x.q.tensor(), k = x.k.tensor(), v = x.v.tensor(), out = x.out.tensor();
    q.tokens = out.tokens = std::min<std::size_t>(25, 60 - from);
    q.data = q.row(0, 0, from);
    out.data = out.row(0, 0, from);
    if (sums.empty()) sums.assign(2 * 60, 0.0);
    last = act::calibrated_attention(q, k, v, out, act::layer_heads::all(), {},
                                     {.visible = {.query_offset = from}}, sums);
  }
  for (std::size_t h = 0; h < 2; ++h) {
    REQUIRE(last.heads[h].sinks.size() == whole.heads[h].sinks.size());
    for (std::size_t s = 0; s < whole.heads[h].sinks.size(); ++s) {
      CHECK(last.heads[h].sinks[s].position == whole.heads[h].sinks[s].position);
      CHECK(last.heads[h].sinks[s].score == doctest::Approx(whole.heads[h].sinks[s].score).epsilon(1e-6));
    }
  }
}

TEST_CASE_TEMPLATE("plain outputs beside calibrated ones are those of the call without heads", T, float,
                   double, act::float16) {
  for (const std::size_t queries : {3UL, 50UL}) {
    for (const int way : {0, 1, 2}) {
      const bool by_map = way == 2;
      const act::attention_options options{.kept_weights = kept_weights_of_each_way[way % 2]};
      const act::calibration_options how{.redistribute = by_map ? act::redistribution::uniform
                                                                : act::redistribution::proportional};
      const auto x = [&] { return random_attention<T>(2, 4, 2, queries, queries, 16, 20, 11); };
      random_attention<T> plain = x(), calibrated = x(), both = x();
      const act_test::owned_tensor<T> beside(2, 4, queries, 20, true);
      act::calibrated_attention<T>(plain.q.tensor(), plain.k.tensor(), plain.v.tensor(), plain.out.tensor(),
                                   {}, how, options);
      act::calibrated_attention<T>(calibrated.q.tensor(), calibrated.k.tensor(), calibrated.v.tensor(),
                                   calibrated.out.tensor(), {0, 3}, how, options);
      act::attention_workspace<act::accumulator_t<T>> workspace;
      act::calibration_report report;
      act::calibrated_attention<T>(both.q.tensor(), both.k.tensor(), both.v.tensor(), both.out.tensor(),
                                   {0, 3}, how, options, workspace, report, beside.tensor());
      CHECK(act_test::same_bits(both.out.numbers(), calibrated.out.numbers()));
      for (std::size_t b = 0; b < 2; ++b) {
        for (std::size_t h = 0; h < 4; ++h) {
          for (std::size_t i = 0; i < queries; ++i) {
            for (std::size_t c = 0; c < 20; ++c) {
              const double expected = static_cast<double>(plain.out.tensor().row(b, h, i)[c]);
              const double got = static_cast<double>(beside.tensor().row(b, h, i)[c]);
              CHECK(std::abs(got - expected) <= (sizeof(T) == 2 ? 2e-3 : 1e-6));
            }
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("ablations and the authors' behaviour are what calibrate() makes of the map", path,
                   ACT_TEST_PATHS) {
  using T = typename path::element;
  const std::vector<std::size_t> subset{2, 3, 11, 12, 13, 30};
  std::vector<act::calibration_options> ways;
  for (const auto each : {act::redistribution::uniform, act::redistribution::inverse,
                          act::redistribution::temperature, act::redistribution::subset})
    ways.push_back({.redistribute = each});
  ways.back().subset = subset;
  ways.push_back(
      {.sinks = {.rule = act::sink_rule::absolute, .tau = 0.07}, .behave_as = act::compatibility::authors});
  for (const act::calibration_options& how : ways) {
    for (const std::size_t offset : {0UL, 9UL}) {
      const bool authors = how.behave_as == act::compatibility::authors;
      if (authors && offset > 0) continue;
      const std::vector<std::size_t> first_key = authors ? std::vector<std::size_t>{} : std::vector{0UL, 3UL};
      const act::visibility visible{.query_offset = offset, .first_key = first_key};
      random_attention<T> x(2, 4, 2, 40, 40 + offset, 16, 20, 5);
      const auto report = act::calibrated_attention<T, typename path::arch>(
          x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(), {0, 1, 3}, how, {.visible = visible});

      reference::map m{.batches = 2,
                       .heads = 4,
                       .queries = 40,
                       .keys = 40 + offset,
                       .query_offset = offset,
                       .first_key = {0, authors ? 0UL : 3UL},
                       .weights = {}};
      reference::attend(m, x.q.to_reference(), x.k.to_reference(), {0.25, 0, {}, {}});
      const auto expected_report = act::calibrate<double, act::simd::scalar>(
          act::attention_span<double>::packed(m.weights.data(), 2, 4, 40, 40 + offset, visible), {0, 1, 3},
          how);
      REQUIRE(report.heads.size() == expected_report.heads.size());
      std::size_t sinks = 0;
      for (std::size_t each = 0; each < report.heads.size(); ++each) {
        sinks += report.heads[each].sinks.size();
        CHECK(report.heads[each].sinks.size() == expected_report.heads[each].sinks.size());
        CHECK(report.heads[each].moved_mass ==
              doctest::Approx(expected_report.heads[each].moved_mass).epsilon(1e-4));
      }
      CHECK(sinks > 10);
      const reference::tensor v = x.v.to_reference();
      for (std::size_t b = 0; b < 2; ++b) {
        for (std::size_t h = 0; h < 4; ++h) {
          for (std::size_t i = 0; i < 40; ++i) {
            for (std::size_t c = 0; c < 20; ++c) {
              const double expected = reference::mix(m, v, b, h, i, c);
              const double got = static_cast<double>(x.out.tensor().row(b, h, i)[c]);
              CHECK(std::abs(got - expected) <= (sizeof(T) == 8 ? 1e-11 : 1e-5));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("bad requests are refused before the first write") {
  random_attention<float> x(1, 4, 2, 8, 8, 4, 4, 1);
  const auto before = x.out.numbers();
  const auto refused = [&](auto spoil) {
    auto q = x.q.tensor(), k = x.k.tensor(), v = x.v.tensor(), out = x.out.tensor();
    act::calibration_options calibration;
    act::attention_options options;
    act::layer_heads heads = act::layer_heads::all();
    spoil(q, k, v, out, heads, calibration, options);
    const auto where = [](auto call) {
      try {
        call();
      } catch (const act::error& e) {
        return e.where();
      }
      return std::string();
    };
    const std::string result =
        where([&] { act::calibrated_attention(q, k, v, out, heads, calibration, options); });
    CHECK(where([&] {
            static_cast<void>(
                act::calibrated_attention_bytes<float>(q, k, v, out, heads, calibration, options));
          }) == result);
    return result;
  };
  using tensor = act::head_tensor<float>;
  using heads = act::layer_heads;
  using calibration = act::calibration_options;
  using options = act::attention_options;
  CHECK(refused([](tensor&, tensor&, tensor&, tensor&, heads&, calibration&, options&) {}).empty());
  x.out.tensor().data[0] = before[1];
  const auto after = x.out.numbers();
  CHECK(refused([](tensor& q, tensor&, tensor&, tensor&, heads&, calibration&, options&) {
          q.data = nullptr;
        }) == "q");
  CHECK(refused([](tensor&, tensor& k, tensor&, tensor&, heads&, calibration&, options&) { k.heads = 3; }) ==
        "k");
  CHECK(refused([](tensor&, tensor& k, tensor&, tensor&, heads&, calibration&, options&) {
          k.channels = 3;
        }) == "k");
  CHECK(refused([](tensor&, tensor& k, tensor& v, tensor&, heads&, calibration&, options&) {
          k.tokens = v.tokens = 0;
        }) == "k");
  CHECK(refused([](tensor&, tensor&, tensor& v, tensor&, heads&, calibration&, options&) { v.tokens = 7; }) ==
        "v");
  CHECK(refused([](tensor&, tensor&, tensor&, tensor& o, heads&, calibration&, options&) {
          o.channels = 3;
        }) == "out");
  CHECK(refused([](tensor&, tensor&, tensor&, tensor&, heads& h, calibration&, options&) { h = {4}; }) ==
        "heads");
  CHECK(refused([](tensor&, tensor&, tensor&, tensor&, heads&, calibration& c, options&) { c.beta = 3; }) ==
        "beta");
  std::vector<double> sums(4 * 8);
  const auto refused_sums = [&](const calibration& c, std::span<double> carried) {
    random_attention<float> y(1, 4, 2, 8, 8, 4, 4, 1);
    try {
      act::calibrated_attention(y.q.tensor(), y.k.tensor(), y.v.tensor(), y.out.tensor(), heads{0}, c, {},
                                carried);
    } catch (const act::error& e) {
      return e.where();
    }
    return std::string();
  };
  CHECK(refused_sums({.redistribute = act::redistribution::uniform}, sums) == "carried_sums");
  CHECK(refused_sums({}, std::span(sums).first(31)) == "carried_sums");
  random_attention<double> doubles(1, 4, 2, 8, 8, 4, 4, 1);
  const auto inputs = std::pair(doubles.q.numbers(), doubles.k.numbers());
  for (double* const read : {doubles.q.tensor().data, doubles.k.tensor().data, doubles.v.tensor().data}) {
    try {
      act::calibrated_attention(doubles.q.tensor(), doubles.k.tensor(), doubles.v.tensor(),
                                doubles.out.tensor(), heads::all(), {}, {}, std::span(read, 32));
      FAIL("carried sums over an input");
    } catch (const act::error& e) {
      CHECK(e.where() == "carried_sums");
    }
  }
  CHECK(act_test::same_bits(doubles.q.numbers(), inputs.first));
  CHECK(act_test::same_bits(doubles.k.numbers(), inputs.second));
  const std::vector<std::size_t> past_the_end{8};
  CHECK(refused([&](tensor&, tensor&, tensor&, tensor&, heads&, calibration& c, options&) {
          c.redistribute = act::redistribution::subset;
          c.subset = past_the_end;
        }) == "subset");
  CHECK(refused([](tensor& q, tensor&, tensor&, tensor& o, heads&, calibration& c, options&) {
          c.behave_as = act::compatibility::authors;
          q.tokens = o.tokens = 7;
        }) == "behave_as");
  CHECK(refused([](tensor&, tensor&, tensor&, tensor&, heads&, calibration&, options& o) {
          o.soft_cap = -1;
        }) == "soft_cap");
  // Numbers that float, in which this is computed, has no place for.
  for (const double cap : {1e39, 1e-50, 1e-39, std::numeric_limits<double>::max()}) {
    CHECK(refused([&](tensor&, tensor&, tensor&, tensor&, heads&, calibration&, options& o) {
            o.soft_cap = cap;
          }) == "soft_cap");
  }
  for (const double scale : {1e39, -1e39, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(refused([&](tensor&, tensor&, tensor&, tensor&, heads&, calibration&, options& o) {
            o.scale = scale;
          }) == "scale");
  }
  CHECK(refused([](tensor&, tensor&, tensor&, tensor&, heads&, calibration&, options& o) {
          o.visible.query_offset = 1;
        }) == "visible.query_offset");
  const std::vector<float> three(3);
  CHECK(refused([&](tensor&, tensor&, tensor&, tensor&, heads&, calibration&, options& o) {
          o.slopes = three;
        }) == "slopes");
  CHECK(act_test::same_bits(x.out.numbers(), after));
}

TEST_CASE("a NaN stays in its head, whichever ran before on the same thread") {
  act::set_thread_count(1);
  const auto run = [](bool spoil) {
    random_attention<float> x(1, 3, 3, 21, 21, 16, 16, 9);
    if (spoil) {
      x.k.tensor().row(0, 0, 4)[3] = std::nanf("");
      x.v.tensor().row(0, 0, 5)[3] = std::nanf("");
    }
    act::calibrated_attention(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(),
                              act::layer_heads::all());
    return x.out.numbers();
  };
  const auto clean = run(false), spoilt = run(true);
  for (std::size_t at = 1 + 21 * 16; at < clean.size(); ++at)
    CHECK(spoilt[at] == clean[at]);
  CHECK(std::isnan(spoilt[1 + 20 * 16]));
  act::set_thread_count(0);
}

TEST_CASE("a query that isn't a number spoils its own row, and the columns that it sees") {
  for (const std::size_t kept : kept_weights_of_each_way) {
    CAPTURE(kept);
    random_attention<float> x(1, 1, 1, 64, 64, 8, 8, 4);
    for (const std::size_t sink : {25UL, 40UL})
      x.k.tensor().row(0, 0, sink)[0] = 15;
    x.q.tensor().row(0, 0, 20)[3] = std::nanf("");
    const auto report = act::calibrated_attention(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(),
                                                  act::layer_heads::all(), {}, {.kept_weights = kept});
    std::vector<float> map(64 * 64);
    const auto weights = act::attention_span<float>::packed(map.data(), 1, 1, 64, 64);
    act::attention_weights(x.q.tensor(), x.k.tensor(), weights);
    const auto by_map = act::calibrate(weights, act::layer_heads::all());
    REQUIRE(report.heads[0].sinks.size() == by_map.heads[0].sinks.size());
    bool both = false;
    for (std::size_t s = 0; s < report.heads[0].sinks.size(); ++s) {
      CHECK(report.heads[0].sinks[s].position == by_map.heads[0].sinks[s].position);
      both = both || report.heads[0].sinks[s].position == 25;
    }
    CHECK(both);
    for (std::size_t i = 0; i < 64; ++i)
      CHECK(std::isnan(x.out.tensor().row(0, 0, i)[0]) == (i == 20));
  }
}

TEST_CASE_TEMPLATE("a value that isn't finite reaches the rows that see it, and no other", path,
                   act_test::float_simd, act_test::double_simd, act_test::float_scalar) {
  using T = typename path::element;
  using arch = typename path::arch;
  constexpr std::size_t tokens = 70, channels = 65;
  const std::vector<std::size_t> padding{5};
  struct form {
    act::calibration_options calibration;
    std::size_t kept;
    std::size_t window;
  };
  const std::vector<form> forms = {
      {{.sinks = {.alpha = 2}}, act::attention_options{}.kept_weights, 0},
      {{.sinks = {.alpha = 2}}, 0, 0},
      {{.sinks = {.alpha = 2}}, act::attention_options{}.kept_weights, 12},
      {{.sinks = {.alpha = 2}}, 0, 12},
      {{.redistribute = act::redistribution::temperature}, 0, 0},
      {{.sinks = {.alpha = 2}, .redistribute = act::redistribution::uniform}, 0, 12},
  };
  for (const form& f : forms) {
    CAPTURE(f.kept);
    CAPTURE(f.window);
    random_attention<T> x(1, 2, 1, tokens, tokens, 8, channels, 4);
    const auto attend = [&] {
      act::calibrated_attention<T, arch>(
          x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(), {0}, f.calibration,
          {.visible = {.first_key = padding, .window = f.window}, .kept_weights = f.kept});
      return x.out.numbers();
    };
    const std::vector<T> clean = attend();
    const act::visibility visible{.first_key = padding, .window = f.window};
    for (const std::size_t bad : {0UL, 4UL, 5UL, 37UL, 48UL, 69UL}) {  // the first five are padding
      // In the first batch of a panel, in the last one, and in the tail.
      for (const std::size_t channel : {0UL, 31UL, 64UL}) {
        CAPTURE(bad);
        CAPTURE(channel);
        T& value = x.v.tensor().row(0, 0, bad)[channel];
        const T finite = value;
        value = bad % 2 == 0 ? std::numeric_limits<T>::quiet_NaN() : std::numeric_limits<T>::infinity();
        attend();
        value = finite;
        std::size_t wrong = 0;
        for (std::size_t head = 0; head < 2; ++head) {
          for (std::size_t i = 0; i < tokens; ++i) {
            const T* const row = x.out.tensor().row(0, head, i);
            const T* const before = clean.data() + (row - x.out.numbers().data());
            const bool sees = visible.row(0, i).contains(bad);
            for (std::size_t c = 0; c < channels; ++c) {
              const bool spoilt = sees && c == channel;
              if (spoilt == std::isfinite(row[c])) ++wrong;
              if (!spoilt && std::abs(row[c] - before[c]) > T(1e-5)) ++wrong;
            }
          }
        }
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE("a value that isn't a number stays out of rows of a few queries that don't see it") {
  random_attention<float> x(1, 1, 1, 6, 6, 8, 8, 4);
  for (std::size_t j = 0; j < 6; ++j)
    x.k.tensor().row(0, 0, j)[0] = j == 1 || j == 3 ? 20.0F : 0.0F;
  x.v.tensor().row(0, 0, 3)[2] = std::nanf("");
  const auto report = act::calibrated_attention(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(),
                                                act::layer_heads::all(), {.sinks = {.alpha = 1}});
  REQUIRE(report.heads[0].sinks.size() >= 2);
  for (std::size_t i = 0; i < 6; ++i)
    CHECK(std::isnan(x.out.tensor().row(0, 0, i)[2]) == (i >= 3));
}
