// A panel's operations against plain loops: at every number of common columns, from any first key, with
// garbage where rows don't see. And what they stand on: loads and stores of a batch's first lanes, sums of
// many batches at once.
#include <act/detail/kernels/batch_access.hpp>
#include <act/detail/kernels/row_panel.hpp>
#include <act/half.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

#include "random/random_numbers.hpp"

#if defined(ACT_DETAIL_HAS_XSIMD)

namespace {

using arch = act::simd::default_arch;
template <class T>
constexpr bool vectorised = act::simd::vectorised<act::accumulator_t<T>, arch>;
template <class T>
using element = act::element_traits<T>;

/// The bound that row_panel.hpp states.
template <class T>
constexpr double panel_row_bound = sizeof(act::accumulator_t<T>) == 4 ? 14 * 0x1p-24 : 1e-10;
template <class T>
constexpr double panel_column_bound = sizeof(act::accumulator_t<T>) == 4 ? 3 * 0x1p-24 : 1e-10;

/// A panel in the last rows of a map that ends with them, at an odd address.
template <class T>
struct panel_map {
  using panel = act::detail::row_panel<T, arch>;
  std::size_t begin, common, stride;
  std::vector<T> elements;
  std::vector<act::accumulator_t<T>> marks;
  std::vector<std::size_t> sinks;

  panel_map(std::size_t first_key, std::size_t batches, unsigned seed, unsigned one_sink_in)
      : begin(first_key),
        common(first_key + batches * panel::lanes),
        stride(common + panel::rows),
        marks(stride) {
    act_test::random_numbers random(seed);
    elements.resize(1 + panel::rows * stride);
    for (T& each : elements)
      each = element<T>::store(std::exp(-20 * random.uniform<float>()));
    for (std::size_t r = 0; r < panel::rows; ++r) {
      for (std::size_t j = 0; j < stride; ++j) {
        if (!sees(r, j))
          at(r, j) = element<T>::store(std::numeric_limits<act::accumulator_t<T>>::quiet_NaN());
      }
    }
    for (std::size_t j = begin + 1; j < stride; ++j) {
      if (!random.one_in(one_sink_in)) continue;
      sinks.push_back(j);
      marks[j] = 1;
    }
  }
  bool sees(std::size_t r, std::size_t j) const { return begin <= j && j <= common + r; }
  T& at(std::size_t r, std::size_t j) { return elements[1 + r * stride + j]; }
  double weight(std::size_t r, std::size_t j) { return static_cast<double>(element<T>::load(at(r, j))); }
  typename panel::extent extent() const { return {stride, begin, common}; }
};

/// Calls check(map) for panels after every number of common batches up to a chunk of sums, and far beyond.
template <class T, class Check>
void for_each_panel(Check&& check) {
  for (const std::size_t begin : {0UL, 3UL}) {
    for (std::size_t batches = 0; batches <= 36; ++batches) {
      for (const unsigned one_sink_in : {3U, 20U, 100000U}) {
        panel_map<T> map(begin, batches, static_cast<unsigned>(batches + begin), one_sink_in);
        check(map);
      }
    }
    panel_map<T> longest(begin, 80, 80, 20);
    check(longest);
  }
}

}  // namespace

#define ACT_TEST_ELEMENTS float, double, act::float16, act::bfloat16

TEST_CASE_TEMPLATE("a panel's column sums stay within the stated bound and see no masked entry", T,
                   ACT_TEST_ELEMENTS) {
  if constexpr (vectorised<T>) {
    using panel = act::detail::row_panel<T, arch>;
    if constexpr (panel::lanes % 8 == 0) {
      for_each_panel<T>([](panel_map<T>& map) {
        std::vector<double> sums(map.stride, 0.25);
        panel::add_columns(&map.at(0, 0), map.extent(), sums.data());
        for (std::size_t j = 0; j < map.stride; ++j) {
          double expected = 0.25;
          for (std::size_t r = 0; r < panel::rows; ++r)
            expected += map.sees(r, j) ? map.weight(r, j) : 0;
          CHECK(std::abs(sums[j] - expected) <= panel_column_bound<T> * expected);
        }
      });
    }
  }
}

TEST_CASE_TEMPLATE("what a panel's rows hold on sinks and elsewhere stays within the stated bound", T,
                   ACT_TEST_ELEMENTS) {
  if constexpr (vectorised<T>) {
    using panel = act::detail::row_panel<T, arch>;
    double worst = 0;
    for_each_panel<T>([&](panel_map<T>& map) {
      double elsewhere[panel::rows], on_sinks[panel::rows];
      panel::sum_unmarked(&map.at(0, 0), map.extent(), map.marks.data(), elsewhere);
      panel::sum_sinks(&map.at(0, 0), map.extent(), map.sinks, on_sinks);
      for (std::size_t r = 0; r < panel::rows; ++r) {
        double expected[2] = {0, 0};
        for (std::size_t j = 0; j < map.stride; ++j) {
          if (map.sees(r, j)) expected[map.marks[j] > 0 ? 1 : 0] += map.weight(r, j);
        }
        CHECK(std::abs(elsewhere[r] - expected[0]) <= panel_row_bound<T> * expected[0]);
        CHECK(std::abs(on_sinks[r] - expected[1]) <= panel_row_bound<T> * expected[1]);
        if (expected[0] > 0) worst = std::max(worst, std::abs(elsewhere[r] - expected[0]) / expected[0]);
      }
    });
    MESSAGE("largest relative error of a row's mass elsewhere: " << worst);
  }
}

TEST_CASE_TEMPLATE("a panel is scaled as the scalar kernel would to the bit, and nothing else is written", T,
                   ACT_TEST_ELEMENTS) {
  if constexpr (vectorised<T>) {
    using panel = act::detail::row_panel<T, arch>;
    using A = act::accumulator_t<T>;
    for_each_panel<T>([](panel_map<T>& map) {
      A factors[panel::rows];
      for (std::size_t r = 0; r < panel::rows; ++r)
        factors[r] = static_cast<A>(1.1 + 0.07 * static_cast<double>(r));
      const A at_sinks = static_cast<A>(0.4);
      panel_map<T> expected = map, one_by_one = map;
      for (std::size_t r = 0; r < panel::rows; ++r) {
        for (std::size_t j = 0; j < map.stride; ++j) {
          T& each = expected.at(r, j);
          if (map.sees(r, j))
            each = element<T>::store(element<T>::load(each) * (map.marks[j] > 0 ? at_sinks : factors[r]));
        }
        panel::scale_row(&one_by_one.at(r, 0), r, map.extent(), map.marks.data(), at_sinks, factors[r]);
      }
      panel::scale(&map.at(0, 0), map.extent(), map.marks.data(), at_sinks, factors);
      const std::size_t bytes = map.elements.size() * sizeof(T);
      CHECK(std::memcmp(map.elements.data(), expected.elements.data(), bytes) == 0);
      CHECK(std::memcmp(one_by_one.elements.data(), expected.elements.data(), bytes) == 0);
    });
  }
}

TEST_CASE_TEMPLATE("the first lanes of a batch are loaded and stored alone", T, ACT_TEST_ELEMENTS) {
  if constexpr (vectorised<T>) {
    using access = act::detail::batch_access<T, arch>;
    using A = act::accumulator_t<T>;
    for (std::size_t count = 0; count <= access::lanes; ++count) {
      // Memory of exactly that size: the sanitizers see an access beyond.
      std::vector<T> from(count), to(count);
      for (std::size_t k = 0; k < count; ++k)
        from[k] = element<T>::store(static_cast<A>(k + 1));
      A each[access::lanes];
      const auto loaded = access::load_first(from.data(), count);
      loaded.store_unaligned(each);
      for (std::size_t k = 0; k < access::lanes; ++k)
        CHECK(each[k] == static_cast<A>(k < count ? k + 1 : 0));
      access::store_first(loaded, to.data(), count);
      for (std::size_t k = 0; k < count; ++k)
        CHECK(element<T>::load(to[k]) == each[k]);
    }
  }
}

TEST_CASE_TEMPLATE("lanes of many batches are summed each by each", A, float, double) {
  if constexpr (vectorised<A>) {
    using batch = xsimd::batch<A, arch>;
    A numbers[batch::size][batch::size], sums[batch::size];
    batch rows[batch::size];
    for (std::size_t r = 0; r < batch::size; ++r) {
      for (std::size_t k = 0; k < batch::size; ++k)
        numbers[r][k] = static_cast<A>((r * 31 + k * k * 7) % 97);
      rows[r] = batch::load_unaligned(numbers[r]);
    }
    act::simd::sum_lanes_of_each(rows, sums);
    for (std::size_t r = 0; r < batch::size; ++r) {
      A expected = 0;
      for (const A each : numbers[r])
        expected += each;
      CHECK(sums[r] == expected);
    }
  }
}

#endif
