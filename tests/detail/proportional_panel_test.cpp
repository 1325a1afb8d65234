// Whole maps whose rows go in panels: every length and alignment against the oracle, with garbage where rows
// don't see, and rows of a panel that stay as they are while their neighbours change.
#include <act/calibrate.hpp>
#include <act/detail/proportional_panel.hpp>
#include <act/half.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

#include "paths.hpp"
#include "random/random_map.hpp"

using act_test::map_shape;
using act_test::random_map;

namespace {

using half_simd = act_test::path<act::float16, act::simd::default_arch>;
using half_scalar = act_test::path<act::float16, act::simd::scalar>;
using brain_simd = act_test::path<act::bfloat16, act::simd::default_arch>;
using brain_scalar = act_test::path<act::bfloat16, act::simd::scalar>;

/// NaN in everything that no row sees.
template <class T>
void spoil_masked(random_map<T>& map) {
  const act::attention_span<T>& span = map.span();
  for (std::size_t i = 0; i < span.queries; ++i) {
    const act::key_range seen = span.visible.row(0, i);
    for (std::size_t j = 0; j < span.keys; ++j) {
      if (!seen.contains(j)) span.row(0, 0, i)[j] = std::numeric_limits<T>::quiet_NaN();
    }
  }
}

template <class Path>
void check_against_oracle(const map_shape& shape, unsigned seed) {
  using T = typename Path::element;
  random_map<T> map(shape, seed);
  reference::map expected = map.to_reference();
  spoil_masked(map);
  const auto report = act::calibrate<T, typename Path::arch>(map.span(), {0}, {.sinks = {.alpha = 1.5}});
  std::vector<std::size_t> sinks;
  for (const act::sink& each : report.heads[0].sinks)
    sinks.push_back(each.position);
  const double moved = reference::calibrate(expected, 0, 0, sinks, 0.4);
  CHECK(std::abs(report.heads[0].moved_mass - moved) <= 1e-6 * moved);
  const reference::map got = map.to_reference();
  double worst = 0;
  bool masked_kept = true;
  for (std::size_t i = 0; i < shape.queries; ++i) {
    for (std::size_t j = 0; j < shape.keys; ++j) {
      if (got.sees(0, i, j)) {
        const double error = std::abs(got.at(0, 0, i, j) - expected.at(0, 0, i, j));
        if (!(error <= worst)) worst = error;  // NaN too
      } else {
        masked_kept = masked_kept && std::isnan(got.at(0, 0, i, j));
      }
    }
  }
  CHECK(worst <= Path::tolerance);
  CHECK(masked_kept);
}

}  // namespace

TEST_CASE_TEMPLATE("every length, offset and padding, with garbage where rows don't see", path,
                   ACT_TEST_PATHS) {
  for (std::size_t n = 1; n <= 70; ++n) {
    CAPTURE(n);
    const auto seed = static_cast<unsigned>(n);
    check_against_oracle<path>({.queries = n, .keys = n}, seed);
    check_against_oracle<path>({.queries = n, .keys = n + n % 5}, seed);
    check_against_oracle<path>({.queries = n, .keys = n + n % 19, .query_offset = n % 19}, seed);
    check_against_oracle<path>({.queries = n, .keys = n, .first_key = {n % 23 < n ? n % 23 : 0}}, seed);
    check_against_oracle<path>({.queries = n, .keys = n + 9, .query_offset = 9, .window = 1 + n % 41}, seed);
  }
  for (const std::size_t n : {255UL, 300UL, 601UL})  // several chunks of a sum, long rows
    check_against_oracle<path>({.queries = n, .keys = n, .first_key = {n % 7}}, 1);
}

TEST_CASE_TEMPLATE("rows of a panel before the first sink stay to the bit", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  for (std::size_t sink = 1; sink < 48; ++sink) {
    random_map<T> map({.queries = 48, .keys = 48}, 3);
    spoil_masked(map);
    const std::vector<T> before = map.elements();
    const std::size_t sinks[] = {sink};
    act::calibrate_with_sinks<T, typename path::arch>(map.span(), 0, 0, sinks);
    const auto rows = static_cast<std::ptrdiff_t>(1 + sink * 48);
    CHECK(std::memcmp(map.elements().data(), before.data(), static_cast<std::size_t>(rows) * sizeof(T)) == 0);
    CHECK(map.span().row(0, 0, sink)[sink] < before[1 + sink * 48 + sink]);
  }
}

TEST_CASE_TEMPLATE("a row that can't be calibrated doesn't touch its panel's others", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  const std::size_t sinks[] = {2, 20};
  const auto calibrated = [&](random_map<T>& map) {
    return act::calibrate_with_sinks<T, typename path::arch>(map.span(), 0, 0, sinks);
  };
  random_map<T> clean({.queries = 64, .keys = 64}, 5);
  calibrated(clean);
  const auto nan = std::numeric_limits<T>::quiet_NaN(), infinity = std::numeric_limits<T>::infinity();
  for (std::size_t row = 3; row < 64; ++row) {
    for (int kind = 0; kind < 5; ++kind) {
      random_map<T> map({.queries = 64, .keys = 64}, 5);
      T* const spoilt = map.span().row(0, 0, row);
      if (kind == 0) spoilt[row / 2] = nan;
      if (kind == 1) spoilt[2] = nan;
      if (kind == 2) spoilt[row] = infinity;
      if (kind == 3) std::fill_n(spoilt, row + 1, T(0));
      if (kind == 4) {  // all mass on sinks
        std::fill_n(spoilt, row + 1, T(0));
        spoilt[2] = T(1);
      }
      const std::vector<T> before(spoilt, spoilt + 64);
      calibrated(map);
      CHECK(std::memcmp(spoilt, before.data(), 64 * sizeof(T)) == 0);
      for (std::size_t i = 0; i < 64; ++i) {
        if (i == row) continue;
        CHECK(std::memcmp(map.span().row(0, 0, i), clean.span().row(0, 0, i), 64 * sizeof(T)) == 0);
      }
    }
  }
}

TEST_CASE_TEMPLATE("a row that holds minus infinity stays to the bit, in a panel and outside of panels", path,
                   ACT_TEST_PATHS, half_simd, half_scalar, brain_simd, brain_scalar) {
  using T = typename path::element;
  using arch = typename path::arch;
  const T minus_infinity = static_cast<T>(-std::numeric_limits<float>::infinity());
  constexpr std::size_t n = 71;
  // Rows before the first panel, several panels, and rows behind the last whole one, at any alignment.
  for (const std::size_t padding : {0UL, 1UL, 5UL}) {
    const map_shape shape{.heads = 1, .queries = n, .keys = n, .first_key = {padding}};
    random_map<T> map(shape, 7), clean(shape, 7);
    const std::vector<T> original = map.elements();
    const auto clean_report = act::calibrate<T, arch>(clean.span(), {0}, {.sinks = {.alpha = 1.5}});
    REQUIRE_FALSE(clean_report.heads[0].sinks.empty());
    const std::size_t a_sink = clean_report.heads[0].sinks[0].position;
    for (std::size_t row = padding + 1; row < n; ++row) {
      CAPTURE(padding);
      CAPTURE(row);
      for (const std::size_t key : {padding, std::min(a_sink, row), padding + (row - padding) / 2, row}) {
        CAPTURE(key);
        map.elements() = original;
        clean.elements() = original;
        T* const spoilt = map.span().row(0, 0, row);
        spoilt[key] = minus_infinity;
        const std::vector<T> before(spoilt, spoilt + n);
        const auto report = act::calibrate<T, arch>(map.span(), {0}, {.sinks = {.alpha = 1.5}});
        // Its column's score is minus infinity: no sink. The others are those of the map without it, and what
        // they do to rows that hold none is the same to the bit.
        std::vector<std::size_t> sinks, expected;
        for (const act::sink& each : report.heads[0].sinks)
          sinks.push_back(each.position);
        for (const act::sink& each : clean_report.heads[0].sinks) {
          if (each.position != key) expected.push_back(each.position);
        }
        CHECK(sinks == expected);
        act::calibrate_with_sinks<T, arch>(clean.span(), 0, 0, sinks);
        CHECK(std::memcmp(spoilt, before.data(), n * sizeof(T)) == 0);
        std::copy_n(clean.span().row(0, 0, row), n, spoilt);
        CHECK(act_test::same_bits(map.elements(), clean.elements()));
        // On a sink that is known rather than found, too.
        map.elements() = original;
        spoilt[key] = minus_infinity;
        const std::size_t at_key[] = {key};
        act::calibrate_with_sinks<T, arch>(map.span(), 0, 0, at_key);
        CHECK(std::memcmp(spoilt, before.data(), n * sizeof(T)) == 0);
      }
    }
  }
}

TEST_CASE("panels begin at a whole number of rows from the initial key, and are complete") {
  const std::size_t padding[] = {5};
  const act::visibility visible{.query_offset = 3, .first_key = padding};
  CHECK(act::detail::rows_before_panel(visible, 0, 0, 40, 16) == 2);  // padding
  CHECK(act::detail::rows_before_panel(visible, 0, 2, 40, 16) == 0);  // position 5
  CHECK(act::detail::rows_before_panel(visible, 0, 3, 40, 16) == 15);
  CHECK(act::detail::rows_before_panel(visible, 0, 18, 34, 16) == 0);
  CHECK(act::detail::rows_before_panel(visible, 0, 18, 33, 16) == 16);  // one row is missing
  CHECK(act::detail::first_of_panel(visible, 0, 17, 16) == 2);
  CHECK(act::detail::first_of_panel(visible, 0, 1, 16) == 1);
  const act::visibility windowed{.window = 20};
  CHECK(act::detail::rows_before_panel(windowed, 0, 0, 64, 16) == 0);
  CHECK(act::detail::rows_before_panel(windowed, 0, 16, 64, 16) ==
        16);  // the last of them lose the first keys
}
