// Whole maps: the oracle over random shapes, and the properties that hold for every map.
#include <act/calibrate.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "paths.hpp"
#include "random/random_map.hpp"

using act_test::layout;
using act_test::map_shape;
using act_test::random_map;
using act_test::same_bits;

namespace {

template <class Path>
act::calibration_report calibrate(act::attention_span<typename Path::element> map,
                                  const act::layer_heads& heads,
                                  const act::calibration_options& options = {}) {
  return act::calibrate<typename Path::element, typename Path::arch>(map, heads, options);
}

}  // namespace

TEST_CASE_TEMPLATE("random maps agree with the oracle", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  double worst = 0;
  for (unsigned seed = 1; seed <= 150; ++seed) {
    const map_shape shape = act_test::random_shape(seed);
    random_map<T> map(shape, seed, seed % 4 == 0 ? 0.6 : 1.0);
    reference::map expected = map.to_reference();
    act::calibration_options options;
    reference::settings settings;
    options.beta = settings.beta = seed % 7 == 0 ? 0.0 : 0.4;
    if (seed % 3 == 0) {
      options.sinks.rule = act::sink_rule::absolute;
      settings.sinks = reference::rule::absolute;
    }
    const act::calibration_report report = calibrate<path>(map.span(), act::layer_heads::all(), options);
    REQUIRE(report.heads.size() == shape.batches * shape.heads);
    for (const act::head_report& each : report.heads) {
      // The report's sinks are checked against the oracle's in sinks_test; here they drive it, so that a
      // score within rounding of the threshold can't fail the map.
      std::vector<std::size_t> sinks;
      for (const act::sink& s : each.sinks)
        sinks.push_back(s.position);
      const double moved = reference::calibrate(expected, each.batch, each.head, sinks, settings.beta);
      CHECK(each.moved_mass == doctest::Approx(moved).epsilon(1e-6));
    }
    const reference::map got = map.to_reference();
    for (std::size_t k = 0; k < got.weights.size(); ++k) {
      worst = std::max(worst, std::abs(got.weights[k] - expected.weights[k]));
    }
  }
  MESSAGE("largest difference from the oracle: " << worst);
  CHECK(worst <= path::tolerance);
}

TEST_CASE_TEMPLATE("row mass is preserved, masked entries stay zero, guards stay", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    random_map<T> map(act_test::random_shape(seed), seed, seed % 2 == 0 ? 0.3 : 1.0);
    const std::vector<T> elements = map.elements();
    const reference::map before = map.to_reference();
    calibrate<path>(map.span(), act::layer_heads::all());
    const reference::map after = map.to_reference();
    for (std::size_t b = 0; b < after.batches; ++b) {
      for (std::size_t h = 0; h < after.heads; ++h) {
        for (std::size_t i = 0; i < after.queries; ++i) {
          double mass_before = 0, mass_after = 0;
          for (std::size_t j = 0; j < after.keys; ++j) {
            mass_before += before.at(b, h, i, j);
            mass_after += after.at(b, h, i, j);
            CHECK(after.at(b, h, i, j) >= 0);
            if (!after.sees(b, i, j)) CHECK(after.at(b, h, i, j) == 0);
          }
          CHECK(std::abs(mass_after - mass_before) <= 1e-6 * mass_before);
        }
      }
    }
    for (std::size_t k = 0; k < elements.size(); ++k) {
      if (elements[k] == T(random_map<T>::guard)) CHECK(map.elements()[k] == elements[k]);
    }
  }
}

TEST_CASE_TEMPLATE("garbage in masked entries is neither read nor written", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  const map_shape shape{.queries = 50, .keys = 60, .window = 20, .first_key = {5}};
  random_map<T> clean(shape, 4), spoilt(shape, 4);
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const auto for_each_masked = [&](const random_map<T>& map, auto&& action) {
    for (std::size_t i = 0; i < shape.queries; ++i) {
      const act::key_range seen = map.span().visible.row(0, i);
      for (std::size_t j = 0; j < shape.keys; ++j) {
        if (!seen.contains(j)) action(map.span().row(0, 0, i)[j]);
      }
    }
  };
  for_each_masked(spoilt, [&](T& each) { each = nan; });
  const auto report = calibrate<path>(clean.span(), {0});
  CHECK_FALSE(report.heads[0].sinks.empty());
  CHECK(calibrate<path>(spoilt.span(), {0}).heads[0].sinks == report.heads[0].sinks);
  for_each_masked(spoilt, [](T& each) {
    CHECK(std::isnan(each));
    each = T(0);
  });
  CHECK(same_bits(spoilt.elements(), clean.elements()));
}

TEST_CASE_TEMPLATE("beta = 1 is the identity to the bit", path, ACT_TEST_PATHS) {
  random_map<typename path::element> map({.heads = 2, .queries = 70, .keys = 70}, 1);
  const auto before = map.elements();
  const auto report = calibrate<path>(map.span(), act::layer_heads::all(), {.beta = 1});
  CHECK_FALSE(report.heads[0].sinks.empty());
  CHECK(report.heads[0].moved_mass == 0);
  CHECK(same_bits(map.elements(), before));
}

TEST_CASE_TEMPLATE("only the chosen heads change, and permuting heads permutes results", path,
                   ACT_TEST_PATHS) {
  using T = typename path::element;
  const map_shape shape{.batches = 2, .heads = 3, .queries = 45, .keys = 45};
  random_map<T> map(shape, 2), permuted(shape, 2);
  const auto untouched = map.to_reference();
  const std::size_t order[] = {2, 0, 1};
  for (std::size_t b = 0; b < 2; ++b) {
    for (std::size_t h = 0; h < 3; ++h) {
      for (std::size_t i = 0; i < 45; ++i) {
        std::copy_n(map.span().row(b, order[h], i), 45, permuted.span().row(b, h, i));
      }
    }
  }
  const auto report = calibrate<path>(map.span(), {0, 2});
  REQUIRE(report.heads.size() == 4);
  CHECK(report.heads[1].head == 2);
  CHECK(report.heads[2].batch == 1);
  calibrate<path>(permuted.span(), {0, 1});  // the same two heads, elsewhere
  for (std::size_t b = 0; b < 2; ++b) {
    for (std::size_t h = 0; h < 3; ++h) {
      for (std::size_t i = 0; i < 45; ++i) {
        const T* const row = map.span().row(b, order[h], i);
        CHECK(std::equal(row, row + 45, permuted.span().row(b, h, i)));
        if (order[h] == 1) {
          for (std::size_t j = 0; j < 45; ++j)
            CHECK(static_cast<double>(row[j]) == untouched.at(b, 1, i, j));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("strided equals packed to the bit", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  const auto shape = [](layout order) {
    return map_shape{.batches = 2,
                     .heads = 3,
                     .queries = 37,
                     .keys = 40,
                     .query_offset = 2,
                     .first_key = {0, 4},
                     .order = order};
  };
  random_map<T> packed(shape(layout::packed), 6);
  calibrate<path>(packed.span(), act::layer_heads::all());
  for (const layout order : {layout::padded, layout::query_before_head}) {
    random_map<T> strided(shape(order), 6);
    calibrate<path>(strided.span(), act::layer_heads::all());
    CHECK(strided.to_reference().weights == packed.to_reference().weights);
  }
}

TEST_CASE_TEMPLATE("the number of threads changes nothing, nor does a parallel region around", path,
                   ACT_TEST_PATHS) {
  using T = typename path::element;
  const map_shape shape{.batches = 2, .heads = 5, .queries = 131, .keys = 131};
  // Smaller maps stay on one thread, and this test would show nothing.
  REQUIRE(shape.batches * shape.heads * shape.queries * shape.keys > act::detail::worth_threads);
  act::set_thread_count(1);
  random_map<T> alone(shape, 8);
  calibrate<path>(alone.span(), act::layer_heads::all());
  for (const std::size_t threads : {2UL, 3UL, 8UL}) {
    act::set_thread_count(threads);
    random_map<T> together(shape, 8);
    calibrate<path>(together.span(), act::layer_heads::all());
    CHECK(same_bits(together.elements(), alone.elements()));
  }
  act::set_thread_count(2);
  random_map<T> nested(shape, 8);
  act::parallel_for(shape.batches, [&](std::size_t b) noexcept {
    auto one = nested.span();
    one.data = one.row(b, 0, 0);
    one.batches = 1;
    calibrate<path>(one, act::layer_heads::all());
  });
  CHECK(same_bits(nested.elements(), alone.elements()));
  act::set_thread_count(0);
}

TEST_CASE_TEMPLATE("all mass on sinks leaves rows alone", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  random_map<T> map({.queries = 30, .keys = 30}, 1);
  for (std::size_t i = 0; i < 30; ++i) {
    T* const row = map.span().row(0, 0, i);
    std::fill_n(row, 30, T(0));
    row[i < 3 ? 0 : 3] = T(1);
  }
  const auto before = map.elements();
  const auto report = calibrate<path>(map.span(), {0});
  REQUIRE(report.heads[0].sinks.size() == 1);
  CHECK(report.heads[0].sinks[0].position == 3);
  CHECK(report.heads[0].sinks[0].score == 1);
  CHECK(report.heads[0].moved_mass == 0);
  CHECK(same_bits(map.elements(), before));
}

TEST_CASE_TEMPLATE("a NaN stays in its head and its row stays as it was", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  const map_shape shape{.heads = 2, .queries = 40, .keys = 40};
  random_map<T> clean(shape, 12), spoilt(shape, 12);
  const act::attention_span<T>& map = spoilt.span();
  map.row(0, 0, 30)[2] = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> row_before(map.row(0, 0, 30), map.row(0, 0, 30) + 40);
  calibrate<path>(clean.span(), act::layer_heads::all());
  const auto report = calibrate<path>(map, act::layer_heads::all());
  for (const act::sink& each : report.heads[0].sinks)
    CHECK(each.position != 2);
  CHECK(same_bits(std::vector<T>(map.row(0, 0, 30), map.row(0, 0, 30) + 40), row_before));
  for (std::size_t i = 0; i < 40; ++i) {
    CHECK(std::equal(map.row(0, 1, i), map.row(0, 1, i) + 40, clean.span().row(0, 1, i)));
    for (std::size_t j = 0; j <= i; ++j)
      CHECK(std::isnan(map.row(0, 0, i)[j]) == (i == 30 && j == 2));
  }
}

TEST_CASE_TEMPLATE("the smallest maps", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  T one = T(1);
  auto map = act::attention_span<T>::packed(&one, 1, 1, 1, 1);
  CHECK(calibrate<path>(map, {0}).heads[0].sinks.empty());
  CHECK(one == T(1));
  // no visible keys at all
  const std::size_t past[] = {1};
  map.visible.first_key = past;
  CHECK(calibrate<path>(map, {0}).heads[0].sinks.empty());
  // nothing there
  CHECK(calibrate<path>(act::attention_span<T>{}, act::layer_heads::all()).heads.empty());
  CHECK(calibrate<path>(act::attention_span<T>::packed(&one, 1, 1, 1, 1), {}).heads.empty());
}

TEST_CASE_TEMPLATE("every prompt length agrees with the oracle", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  for (std::size_t n = 1; n <= 4 * 16 + 1; ++n) {
    random_map<T> map({.queries = n, .keys = n}, static_cast<unsigned>(n));
    reference::map expected = map.to_reference();
    const auto report = calibrate<path>(map.span(), {0}, {.sinks = {.alpha = 1.5}});
    std::vector<std::size_t> sinks;
    for (const act::sink& s : report.heads[0].sinks)
      sinks.push_back(s.position);
    reference::calibrate(expected, 0, 0, sinks, 0.4);
    const reference::map got = map.to_reference();
    for (std::size_t k = 0; k < got.weights.size(); ++k) {
      CHECK(std::abs(got.weights[k] - expected.weights[k]) <= path::tolerance);
    }
  }
}

TEST_CASE("rows before the first sink aren't written") {
  random_map<float> map({.queries = 40, .keys = 40}, 9);
  auto read_only = map.elements();
  const std::vector<std::size_t> sinks{25, 31};
  act::calibrate_with_sinks(map.span(), 0, 0, sinks);
  const auto rows_end = static_cast<std::ptrdiff_t>(1 + 25 * 40);
  CHECK(std::equal(read_only.begin(), read_only.begin() + rows_end, map.elements().begin()));
  CHECK_FALSE(std::equal(read_only.begin() + rows_end, read_only.end(), map.elements().begin() + rows_end));
}

TEST_CASE("known sinks give what found ones give") {
  random_map<float> found({.queries = 50, .keys = 50}, 3), known({.queries = 50, .keys = 50}, 3);
  const auto report = act::calibrate(found.span(), {0});
  std::vector<std::size_t> sinks;
  for (const act::sink& each : report.heads[0].sinks)
    sinks.push_back(each.position);
  REQUIRE_FALSE(sinks.empty());
  CHECK(act::calibrate_with_sinks(known.span(), 0, 0, sinks) == report.heads[0].moved_mass);
  CHECK(same_bits(known.elements(), found.elements()));
}

TEST_CASE("a calibrated copy leaves the map alone") {
  random_map<float> map({.heads = 2, .queries = 33, .keys = 33, .order = layout::padded}, 3);
  const auto before = map.elements();
  const act::attention_view<float> view = map.span();
  const auto copy = act::calibrated(view, {1});
  CHECK(same_bits(map.elements(), before));
  act::calibrate(map.span(), {1});
  const reference::map expected = map.to_reference();
  REQUIRE(copy.data.size() == expected.weights.size());
  for (std::size_t k = 0; k < copy.data.size(); ++k)
    CHECK(static_cast<double>(copy.data[k]) == expected.weights[k]);
  CHECK(copy.report.heads.size() == 1);
}

TEST_CASE("a workspace is reused from large to small and back") {
  act::calibration_workspace workspace;
  act::calibration_report report;
  for (const std::size_t n : {60UL, 7UL, 61UL}) {
    random_map<float> map({.heads = 3, .queries = n, .keys = n}, 5),
        fresh({.heads = 3, .queries = n, .keys = n}, 5);
    act::calibrate(map.span(), act::layer_heads::all(), {}, workspace, report);
    const auto expected = act::calibrate(fresh.span(), act::layer_heads::all());
    CHECK(same_bits(map.elements(), fresh.elements()));
    REQUIRE(report.heads.size() == expected.heads.size());
    for (std::size_t k = 0; k < 3; ++k)
      CHECK(report.heads[k].sinks == expected.heads[k].sinks);
  }
}
