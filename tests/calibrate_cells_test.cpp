// Sequences that share a cache's cells: each comes out as it does alone in a map of its own, to the bit,
// however its tokens are strewn; what nobody sees stays.
#include <act/calibrate.hpp>
#include <act/calibrate_cells.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "message_of.hpp"
#include "paths.hpp"
#include "random/random_map.hpp"
#include "random/random_numbers.hpp"

namespace {

constexpr std::size_t heads = 3;

/// Sequences in maps of their own, and strewn over one map whose other elements are NaN.
template <class T>
struct shared_map {
  std::vector<std::unique_ptr<act_test::random_map<T>>> alone;
  std::vector<std::vector<std::size_t>> cells, rows;
  std::vector<T> elements;
  act::attention_span<T> map;

  /// `strewn`: cells and rows in any order; else one sequence's behind the other's.
  shared_map(unsigned seed, bool strewn, std::size_t window) {
    act_test::random_numbers random(seed);
    std::size_t all_rows = 0, all_cells = 0;
    for (std::size_t s = 0; s < 4; ++s) {
      const std::size_t queries = 1 + random.below(60), offset = random.one_in(2) ? random.below(50) : 0;
      alone.push_back(std::make_unique<act_test::random_map<T>>(act_test::map_shape{.heads = heads,
                                                                                    .queries = queries,
                                                                                    .keys = offset + queries,
                                                                                    .query_offset = offset,
                                                                                    .window = window},
                                                                seed * 10 + unsigned(s)));
      all_rows += queries;
      all_cells += offset + queries;
    }
    std::vector<std::size_t> free_cells(all_cells), owners;
    std::iota(free_cells.begin(), free_cells.end(), std::size_t{0});
    if (strewn) {
      for (std::size_t k = all_cells; k > 1; --k)
        std::swap(free_cells[k - 1], free_cells[random.below(k)]);
    }
    std::size_t next = 0;
    rows.resize(alone.size());
    for (std::size_t s = 0; s < alone.size(); ++s) {
      const auto& own = alone[s]->span();
      cells.emplace_back(free_cells.begin() + std::ptrdiff_t(next),
                         free_cells.begin() + std::ptrdiff_t(next + own.keys));
      next += own.keys;
      owners.insert(owners.end(), own.queries, s);
    }
    if (strewn) {
      for (std::size_t k = all_rows; k > 1; --k)
        std::swap(owners[k - 1], owners[random.below(k)]);
    }
    for (std::size_t row = 0; row < all_rows; ++row)
      rows[owners[row]].push_back(row);

    elements.assign(heads * all_rows * all_cells, std::numeric_limits<T>::quiet_NaN());
    map = act::attention_span<T>::packed(elements.data(), 1, heads, all_rows, all_cells);
    for_each_weight([](const T& own, T& shared) { shared = own; });
  }

  template <class Use>
  void for_each_weight(Use&& use) {
    for (std::size_t s = 0; s < alone.size(); ++s) {
      const auto& own = alone[s]->span();
      for (std::size_t h = 0; h < heads; ++h) {
        for (std::size_t i = 0; i < own.queries; ++i) {
          const act::key_range seen = own.visible.row(0, i);
          for (std::size_t j = seen.begin; j < seen.end; ++j)
            use(own.row(0, h, i)[j], map.row(0, h, rows[s][i])[cells[s][j]]);
        }
      }
    }
  }

  [[nodiscard]] std::vector<act::cell_sequence> sequences() const {
    std::vector<act::cell_sequence> all;
    for (std::size_t s = 0; s < alone.size(); ++s)
      all.push_back({.cells = cells[s], .rows = rows[s]});
    return all;
  }
};

}  // namespace

TEST_CASE_TEMPLATE("a sequence in shared cells is calibrated as it is alone, to the bit", path,
                   ACT_TEST_PATHS) {
  using T = typename path::element;
  using arch = typename path::arch;
  std::size_t sinks = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const std::size_t window = seed % 5 == 0 ? 17 : 0;
    shared_map<T> shared(seed, seed % 3 != 0, window);
    const auto nans = [&] {
      return std::count_if(shared.elements.begin(), shared.elements.end(),
                           [](const T& each) { return std::isnan(static_cast<double>(each)); });
    };
    const auto unseen = nans();
    act::calibration_options options;
    if (seed % 4 == 0) options.redistribute = act::redistribution::uniform;
    const auto report = act::calibrate_cells<T, arch>(shared.map, shared.sequences(), act::layer_heads{0, 2},
                                                      options, window);
    REQUIRE(report.heads.size() == 8);
    CHECK(nans() == unseen);
    for (std::size_t s = 0; s < shared.alone.size(); ++s) {
      const auto own = act::calibrate<T, arch>(shared.alone[s]->span(), act::layer_heads{0, 2}, options);
      for (std::size_t h = 0; h < 2; ++h) {
        CHECK(report.heads[2 * s + h].batch == s);
        CHECK(report.heads[2 * s + h].sinks == own.heads[h].sinks);
        CHECK(report.heads[2 * s + h].moved_mass == own.heads[h].moved_mass);
        sinks += own.heads[h].sinks.size();
      }
    }
    bool same = true;
    shared.for_each_weight([&](const T& own, const T& in_cells) { same = same && own == in_cells; });
    CHECK(same);
  }
  CHECK(sinks > 100);
}

TEST_CASE("a sequence that comes in several maps takes its sums along") {
  constexpr std::size_t tokens = 48, step = 16;
  const act_test::map_shape shape{.heads = 1, .queries = tokens, .keys = tokens};
  act_test::random_map<float> whole(shape, 3), again(shape, 3);
  const std::vector<act::sink> expected = act::find_sinks(whole.span(), 0, 0);
  REQUIRE(!expected.empty());
  std::vector<std::size_t> cells(tokens), rows(step);
  for (std::size_t t = 0; t < tokens; ++t)
    cells[t] = tokens - 1 - t;  // the newest token in the lowest cell
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::vector<double> carried;
  act::calibration_report report;
  for (std::size_t from = 0; from < tokens; from += step) {
    std::vector<float> elements(step * tokens);
    const auto map = act::attention_span<float>::packed(elements.data(), 1, 1, step, tokens);
    for (std::size_t i = 0; i < step; ++i) {
      for (std::size_t t = 0; t <= from + i; ++t)
        map.row(0, 0, i)[cells[t]] = again.span().row(0, 0, from + i)[t];
    }
    carried.resize(from + step);
    const act::cell_sequence one{
        .cells = std::span(cells).first(from + step), .rows = rows, .carried_sums = carried};
    report = act::calibrate_cells(map, std::span(&one, 1), act::layer_heads::all());
  }
  REQUIRE(report.heads[0].sinks.size() == expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CHECK(report.heads[0].sinks[k].position == expected[k].position);
    CHECK(report.heads[0].sinks[k].score == doctest::Approx(expected[k].score));
  }
}

TEST_CASE("the form for engines works in the caller's memory, and results don't depend on the threads") {
  shared_map<float> shared(7, true, 0), again(7, true, 0);
  const auto sequences = shared.sequences();
  act::calibrate_cells(shared.map, sequences, act::layer_heads::all());
  std::vector<std::byte> memory(
      act::calibrate_cells_workspace(again.map, sequences, act::layer_heads::all()));
  REQUIRE(!memory.empty());
  std::vector<std::size_t> counts(4 * heads);
  act::call_context context{.workspace = std::span(memory).first(memory.size() - 1)};
  CHECK(act::try_calibrate_cells(again.map, sequences, act::layer_heads::all(), {}, context) ==
        act::status::workspace_too_small);
  context.workspace = memory;
  context.report.sink_counts = counts.data();
  CHECK(act::try_calibrate_cells(again.map, sequences, act::layer_heads::all(), {}, context) ==
        act::status::ok);
  CHECK(std::accumulate(counts.begin(), counts.end(), std::size_t{0}) > 0);
  bool same = true;
  std::size_t k = 0;
  for (const float each : shared.elements) {
    const float other = again.elements[k++];
    same = same && (each == other || (std::isnan(each) && std::isnan(other)));
  }
  CHECK(same);
}

TEST_CASE("sequences that can't be are refused before anything is written") {
  std::vector<float> elements(4 * 8, 0.125F);
  const auto map = act::attention_span<float>::packed(elements.data(), 1, 1, 4, 8);
  using list = std::vector<std::size_t>;
  const auto refused = [&](const list& cells, const list& rows, act::attention_span<float> of,
                           std::span<double> carried = {}, const list& other_rows = {},
                           std::span<double> other_carried = {}) {
    const list more{4, 5, 6, 7};
    const std::vector<act::cell_sequence> sequences{{cells, rows, carried},
                                                    {more, other_rows, other_carried}};
    return act_test::message_of([&] { act::calibrate_cells(of, sequences, act::layer_heads::all()); });
  };
  CHECK(refused({0, 1}, {0, 1}, map).empty());
  CHECK(refused({0, 1}, {}, map).empty());
  CHECK(refused({}, {}, map).empty());
  CHECK(refused({0}, {0, 1}, map).find("more rows than cells") != std::string::npos);
  CHECK(refused({0, 8}, {0}, map).find("cell past") != std::string::npos);
  CHECK(refused({0, 1}, {0, 4}, map).find("row past") != std::string::npos);
  CHECK(refused({0, 1}, {1, 0}, map).find("ascend") != std::string::npos);
  CHECK(refused({0, 1}, {0, 2}, map, {}, {1, 2}).find("share a row") != std::string::npos);
  CHECK(refused(list(9, 0), {0}, map).find("more cells") != std::string::npos);
  std::vector<double> sums(3);
  CHECK(refused({0, 1}, {0}, map, sums).find("carried_sums") != std::string::npos);
  std::vector<double> shared(5);
  CHECK(refused({0, 1}, {0}, map, std::span(shared).first(2), {1}, std::span(shared).subspan(1, 4))
            .find("overlap another") != std::string::npos);
  CHECK(refused({0, 1}, {0}, map, std::span(shared).first(1)).find("heads * cells") != std::string::npos);
  auto windowed = map;
  windowed.visible.window = 3;
  CHECK(refused({0, 1}, {0}, windowed).find("visibility") != std::string::npos);
  auto two = act::attention_span<float>::packed(elements.data(), 2, 1, 2, 8);
  CHECK(refused({0, 1}, {0}, two).find("one batch entry") != std::string::npos);
  CHECK(std::all_of(elements.begin(), elements.end(), [](float each) { return each == 0.125F; }));
}
