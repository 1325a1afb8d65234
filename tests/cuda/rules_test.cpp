// What processor and device decide about rows and columns at the edges of the rules that they share: the
// same.
#include <act/calibrate.hpp>
#include <act/calibrate_row.hpp>
#include <act/cuda/element.hpp>
#include <act/cuda/row_rescaling.hpp>
#include <act/cuda/sink_rule.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/detail/rules/sink_rule.hpp>
#include <act/sinks.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "cuda/boundary_cases.hpp"
#include "cuda/emulation/device.hpp"
#include "paths.hpp"
#include "random/random_map.hpp"

namespace detail = act::cuda::detail;

namespace {

constexpr double beta = 0.4;

/// Whether `after` is `before` calibrated as the case says: to the bit where it stays or has a nought.
template <class T>
bool is_calibrated(const act_test::boundary_row<T>& of, std::span<const T> before, std::span<const T> after,
                   std::size_t sink) {
  if (!of.changes) return std::memcmp(before.data(), after.data(), before.size_bytes()) == 0;
  const double ratio = static_cast<double>(of.on_sink) / static_cast<double>(of.elsewhere);
  const double least = static_cast<double>(std::numeric_limits<T>::denorm_min());
  const double rounding = sizeof(T) == sizeof(double) ? 0x1p-50 : 0x1p-21;
  for (std::size_t j = 0; j < before.size(); ++j) {
    const double expected = static_cast<double>(before[j]) * (j == sink ? beta : 1 + (1 - beta) * ratio);
    if (!(std::abs(static_cast<double>(after[j]) - expected) <=
          rounding * expected + (before[j] > 0 ? least : 0)))
      return false;
  }
  return true;
}

template <class T>
bool is_freed(const act_test::boundary_row<T>& of, double freed) {
  const double expected = of.changes ? (1 - beta) * static_cast<double>(of.on_sink) : 0;
  return std::abs(freed - expected) <= 1e-15 * expected + std::numeric_limits<double>::denorm_min();
}

template <class T>
std::vector<T> row_of(const act_test::boundary_row<T>& of, std::size_t keys, std::size_t sink,
                      std::size_t other) {
  std::vector<T> row(keys, T(0));
  row[sink] = of.on_sink;
  row[other] = of.elsewhere;
  return row;
}

/// One row by a warp of two, or by the block that both make.
template <int Width>
struct one_row_kernel {
  float* row;
  int keys;
  const std::uint32_t* sinks;
  detail::sink_share kept;
  bool by_warp;
  double* moved;  // one a thread

  template <class Block>
  void operator()(Block& block) const noexcept {
    const detail::range seen{0, keys};
    double freed = 0;
    if (!by_warp) {
      detail::block_team team(block, static_cast<detail::pair*>(block.shared()));
      freed = detail::rescale_row<float, Width>(team, row, keys, seen, sinks, kept);
    } else if (block.thread() < detail::warp_size) {
      detail::warp_team team(block);
      freed = detail::rescale_row<float, Width>(team, row, keys, seen, sinks, kept);
    }
    if (!by_warp || block.thread() < detail::warp_size) moved[block.thread()] = freed;
  }
};

template <int Width>
void check_on_device(const act_test::boundary_row<float>& of, std::size_t keys, bool by_warp) {
  const std::size_t sink = keys / 2, other = keys - 1;
  std::vector<float> row = row_of(of, keys, sink, other);
  const std::vector<float> before = row;
  std::vector<std::uint32_t> bits(keys / 32 + 1, 0);
  bits[sink / 32] |= std::uint32_t{1} << sink % 32;
  std::vector<double> moved(64, 0);
  act_test::emulated_device device;
  const one_row_kernel<Width> kernel{
      row.data(), static_cast<int>(keys), bits.data(), detail::share_of(beta), by_warp, moved.data()};
  REQUIRE(device.launch(kernel, 1, 64, detail::most_warps * static_cast<int>(sizeof(detail::pair))));
  CHECK(is_calibrated<float>(of, before, row, sink));
  for (std::size_t thread = 0; thread < (by_warp ? 32U : 64U); ++thread)
    CHECK(is_freed(of, moved[thread]));
}

}  // namespace

TEST_CASE_TEMPLATE("rules: rows at the boundary, one alone", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  for (const act_test::boundary_row<T>& each : act_test::boundary_rows<T>()) {
    INFO(each.name);
    const act::detail::row_change change = act::detail::change_of_row(
        static_cast<double>(each.on_sink), static_cast<double>(each.elsewhere), beta);
    CHECK(change.changes == each.changes);
    CHECK(is_freed(each, change.freed));
    if (!change.changes) CHECK(change.elsewhere == 1);
    for (const std::size_t keys : {2U, 3U, 16U, 40U, 300U, 1100U}) {
      for (const std::size_t sink : {std::size_t{0}, keys / 2, keys - 1}) {
        std::vector<T> row = row_of(each, keys, sink, sink == 0 ? keys - 1 : 0);
        const std::vector<T> before = row;
        const std::vector<std::size_t> sinks{sink};
        const double freed =
            act::calibrate_row<T, typename path::arch>(std::span<T>(row), {0, keys}, sinks, {.beta = beta});
        INFO("keys " << keys << " sink " << sink);
        CHECK(is_calibrated<T>(each, before, row, sink));
        CHECK(is_freed(each, freed));
      }
    }
  }
}

TEST_CASE_TEMPLATE("rules: rows at the boundary, beside each other in a map", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  constexpr std::size_t keys = 90, sink = 2, other = 1, first = 3;
  const std::vector<act_test::boundary_row<T>> rows = act_test::boundary_rows<T>();
  const std::vector<std::size_t> sinks{sink};
  for (std::size_t shift = 0; shift < rows.size(); ++shift) {
    const auto case_of = [&](std::size_t i) -> const act_test::boundary_row<T>& {
      return rows[(i + shift) % rows.size()];
    };
    act_test::random_map<T> map({.queries = keys, .keys = keys}, 1);
    for (std::size_t i = first; i < keys; ++i) {
      T* const row = map.span().row(0, 0, i);
      std::fill_n(row, i + 1, T(0));
      row[sink] = case_of(i).on_sink;
      row[other] = case_of(i).elsewhere;
    }
    const std::vector<T> before = map.elements();
    act::calibrate_with_sinks<T, typename path::arch>(map.span(), 0, 0, sinks, {.beta = beta});
    for (std::size_t i = first; i < keys; ++i) {
      const T* const row = map.span().row(0, 0, i);
      const T* const was = before.data() + (row - map.elements().data());
      INFO(case_of(i).name << ", row " << i);
      CHECK(is_calibrated<T>(case_of(i), {was, i + 1}, {row, i + 1}, sink));
      CHECK(std::memcmp(was + i + 1, row + i + 1, (keys - i - 1) * sizeof(T)) == 0);
    }
  }
}

TEST_CASE("rules: rows at the boundary, on the device") {
  for (const act_test::boundary_row<float>& each : act_test::boundary_rows<float>()) {
    INFO(each.name);
    for (const std::size_t keys :
         {3U, 16U, 40U, 300U, 1100U}) {  // in a team's registers, and too many for them
      INFO("keys " << keys);
      check_on_device<1>(each, keys, true);
      check_on_device<1>(each, keys, false);
      check_on_device<detail::full_width<float>>(each, keys, true);
      check_on_device<detail::full_width<float>>(each, keys, false);
    }
  }
}

TEST_CASE("rules: scores at the threshold, one key at a time") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const act_test::boundary_column& each : act_test::boundary_columns()) {
    INFO(each.name);
    const act::sink_options& options = each.options;
    const std::size_t visible_keys = std::min(each.keys, each.last_row) - each.first_key;
    CHECK(act::detail::sink_factor(options.rule, options.alpha, options.tau,
                                   static_cast<double>(visible_keys)) == each.factor);
    const std::vector<std::size_t> padding{each.first_key};
    const act::visibility visible{each.first_row, padding, each.window};
    const std::int32_t initial = static_cast<std::int32_t>(each.first_key);
    const detail::scored_rows rows{detail::sequence_of({each.first_row, &initial, each.window}, 0),
                                   static_cast<int>(each.first_row), static_cast<int>(each.last_row),
                                   static_cast<int>(each.keys)};
    const detail::selection rule = detail::selection_of(options);
    std::vector<double> prefix(1, 0.0);
    for (std::size_t p = each.first_row; p < each.last_row; ++p) {
      const double share = act::detail::uniform_share(p, each.first_key, each.window);
      CHECK(detail::uniform_share(rows.sees, static_cast<int>(p)) == share);
      prefix.push_back(prefix.back() + share);
    }
    const int key = static_cast<int>(each.key);
    if (rule.tracks_uniform()) CHECK(detail::uniform_score(rows, prefix.data(), key) == each.measure);
    const double exactly = each.factor * each.measure;
    const struct {
      double score;
      bool over;
    } offers[] = {{exactly, false},
                  {std::nextafter(exactly, -infinity), false},
                  {std::nextafter(exactly, infinity), true},
                  {infinity, true},
                  {-infinity, false},
                  {std::numeric_limits<double>::quiet_NaN(), false}};
    for (const auto& offer : offers) {
      INFO("score " << offer.score);
      std::vector<double> scores(each.keys, 0.0);
      scores[each.key] = offer.score;
      const bool expected = offer.over && each.may_be_sink;
      CHECK(detail::is_sink(rule, rows, prefix.data(), key, offer.score) == expected);
      const std::vector<act::sink> sinks = act::find_sinks(std::span<const double>(scores), visible, 0,
                                                           each.last_row - each.first_row, options);
      REQUIRE(sinks.size() == (expected ? 1U : 0U));
      if (expected) CHECK(sinks[0].position == each.key);
    }
  }
}
