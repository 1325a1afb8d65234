// The authors' behaviour, step by step: their procedure as the oracle states it, on whole prompts and
// decoding rows.
#include <act/calibrate.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "paths.hpp"
#include "random/random_map.hpp"

using act_test::random_map;

namespace {
constexpr act::calibration_options authors{.sinks = {.rule = act::sink_rule::absolute},
                                           .behave_as = act::compatibility::authors};

template <class T>
void check_equal(const random_map<T>& map, const reference::map& expected, double tolerance) {
  const reference::map got = map.to_reference();
  for (std::size_t k = 0; k < got.weights.size(); ++k) {
    if (std::isnan(expected.weights[k])) {
      CHECK(std::isnan(got.weights[k]));
    } else {
      CHECK(std::abs(got.weights[k] - expected.weights[k]) <= tolerance);
    }
  }
}

std::vector<std::size_t> positions(const act::head_report& head) {
  std::vector<std::size_t> found;
  for (const act::sink& each : head.sinks)
    found.push_back(each.position);
  return found;
}
}  // namespace

TEST_CASE_TEMPLATE("whole prompts come out as the authors' steps leave them", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const std::size_t n = 1 + seed * 2;
    random_map<T> map({.batches = 2, .heads = 2, .queries = n, .keys = n}, seed);
    reference::map expected = map.to_reference();
    reference::settings settings{.sinks = reference::rule::absolute};
    act::calibration_options options = authors;
    if (seed % 3 == 0) {
      settings.sinks = reference::rule::relative;
      options.sinks.rule = act::sink_rule::relative;
    }
    const auto report = act::calibrate<T, typename path::arch>(map.span(), act::layer_heads::all(), options);
    for (const act::head_report& each : report.heads) {
      CHECK(positions(each) == reference::calibrate_like_authors(expected, each.batch, each.head, settings));
    }
    check_equal(map, expected, path::tolerance);
  }
}

TEST_CASE("step 2: when token 0 is under the threshold, the first real sink is spared") {
  random_map<float> map({.queries = 40, .keys = 40}, 1);
  for (std::size_t i = 0; i < 40; ++i) {  // token 0 gets nothing, tokens 1 and 5 a lot
    float* const row = map.span().row(0, 0, i);
    for (std::size_t j = 0; j <= i; ++j)
      row[j] = j == 0 && i > 0 ? 0.0F : 0.3F / static_cast<float>(i + 1);
    if (i >= 1) row[1] = 0.3F;
    if (i >= 5) row[5] = 0.4F;
  }
  map.span().row(0, 0, 0)[0] = 1;
  act::calibration_options ours = authors;
  ours.behave_as = act::compatibility::none;
  CHECK(positions(act::calibrated(map.span(), {0}, ours).report.heads[0])[0] == 1);
  const auto theirs = act::calibrated(map.span(), {0}, authors);
  CHECK(positions(theirs.report.heads[0])[0] != 1);
  CHECK(theirs.data[39 * 40 + 1] >= 0.3F);  // spared, and a recipient
}

TEST_CASE("away from the quirk the authors' mode equals the paper's with the absolute rule") {
  std::size_t compared = 0;
  for (unsigned seed = 1; seed <= 30; ++seed) {
    random_map<float> theirs({.queries = 50, .keys = 50}, seed), ours({.queries = 50, .keys = 50}, seed);
    act::calibration_options options = authors;
    const auto their_report = act::calibrate(theirs.span(), {0}, options);
    options.behave_as = act::compatibility::none;
    const auto our_report = act::calibrate(ours.span(), {0}, options);
    if (our_report.heads[0].sinks != their_report.heads[0].sinks) continue;
    ++compared;
    check_equal(theirs, ours.to_reference(), 4e-7);
  }
  CHECK(compared > 5);
}

TEST_CASE("a row with all its mass on sinks becomes NaN, as theirs does") {
  random_map<double> map({.queries = 20, .keys = 20}, 1);
  for (std::size_t i = 0; i < 20; ++i) {
    double* const row = map.span().row(0, 0, i);
    std::fill_n(row, 20, 0.0);
    row[i < 4 ? 0 : 4] = 1;
  }
  reference::map expected = map.to_reference();
  act::calibrate(map.span(), {0}, authors);
  reference::calibrate_like_authors(expected, 0, 0, {.sinks = reference::rule::absolute});
  check_equal(map, expected, 1e-13);
  CHECK(std::isnan(map.span().row(0, 0, 10)[15]));
}

TEST_CASE_TEMPLATE("a decoding row: sinks receive too, and token 0 becomes 1", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    random_map<T> map({.queries = 1, .keys = 30, .query_offset = 29}, seed);
    reference::map expected = map.to_reference();
    const double before = expected.at(0, 0, 0, 0);
    act::calibrate<T, typename path::arch>(map.span(), {0}, authors);
    reference::calibrate_like_authors(expected, 0, 0, {.sinks = reference::rule::absolute});
    check_equal(map, expected, path::tolerance);
    CHECK(map.span().row(0, 0, 0)[0] == T(1));
    CHECK(before < 1);
  }
}

TEST_CASE("shapes that the authors' code doesn't know are refused, nothing written") {
  const auto refused = [](const act_test::map_shape& shape) {
    random_map<float> map(shape, 1);
    const auto before = map.elements();
    try {
      act::calibrate(map.span(), {0}, authors);
    } catch (const act::error& e) {
      return e.code() == act::error_code::unsupported && e.where() == "behave_as" &&
             act_test::same_bits(map.elements(), before);
    }
    return false;
  };
  CHECK(refused({.queries = 5, .keys = 9, .query_offset = 4}));
  CHECK(refused({.queries = 9, .keys = 9, .window = 4}));
  CHECK(refused({.queries = 9, .keys = 9, .first_key = {2}}));
  CHECK(refused({.queries = 9, .keys = 12}));
  CHECK_FALSE(refused({.queries = 9, .keys = 9, .first_key = {0}}));
}
