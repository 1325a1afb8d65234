// A panel: as many rows of a causal map as a batch has lanes, the first of which stands at a whole number of
// batches from the first key that they see. Its columns are whole batches that all its rows see and a
// triangle, one batch of each row. For calibrate(): column sums, what rows hold on sinks and elsewhere, their
// scaling. Rows are taken together because a row alone is short: crossing the lanes of a batch, a division
// and a loop's start are what a row of 128 keys would spend most of its time on. Nothing here allocates,
// throws or checks.
//
// Sinks are given as marks: 1 at a sink's key, 0 elsewhere.
// What a row doesn't see is neither read nor written.
//
// How many of a panel's rows a loop runs over: all while they fit the first-level cache; few where they are
// long, since the processor's own prefetchers follow no more, and rows a power of two apart push each other
// out.
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/kernels/batch_access.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/detail/kernels/tree_sum.hpp>
#include <act/element.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

#if defined(ACT_DETAIL_HAS_XSIMD)

template <class T, class Arch>
struct row_panel {
  using access = batch_access<T, Arch>;
  using accumulator = accumulator_t<T>;
  using batch = typename access::batch;
  static constexpr std::size_t lanes = access::lanes;
  static constexpr std::size_t rows = lanes;

  /// Where a panel lies. Row r sees the columns from `begin` to `common` + r.
  struct extent {
    std::size_t stride;  // elements from row to row
    std::size_t begin, common;
  };

  /// sums[j] += the sum of column j over the panel's rows, `first` being row 0. Trees of eight rows as in
  /// row_simd.hpp, and its prefetch.
  static void add_columns(const T* first, const extent& panel, double* sums) noexcept
      requires(lanes % 8 == 0) {
    if (is_short(panel)) {
      add_rows<0, rows>(first, panel, sums);
    } else {
      for_each<rows / 8>([&](auto eight) { add_rows<eight * 8, 8>(first, panel, sums); });
    }
  }

  /// elsewhere[r] = what row r holds on keys without a mark: a sum of its own, never the difference of large
  /// ones. Precision: chunks of eight pairs of batches, after up to two batches one by one, then the lanes of
  /// one batch: at most 14 roundings in the accumulator type, 8.4e-7 of the sum; chunks are added in double.
  static void sum_unmarked(const T* first, const extent& panel, const accumulator* marks,
                           double* elsewhere) noexcept {
    if (is_short(panel)) {
      sum_in_groups<rows>(first, panel, marks, elsewhere);
    } else {
      sum_in_groups<std::min(rows, std::size_t{8})>(first, panel, marks, elsewhere);
    }
  }

  /// on_sinks[r] = what row r holds on the keys of `sinks`, which ascend: in double, from sums of eight on.
  static void sum_sinks(const T* first, const extent& panel, std::span<const std::size_t> sinks,
                        double* on_sinks) noexcept {
    using element = element_traits<T>;
    for (std::size_t r = 0; r < rows; ++r)
      on_sinks[r] = 0;
    std::size_t k = 0;
    while (k < sinks.size() && sinks[k] <= panel.common) {
      batch few(accumulator(0));
      for (const std::size_t stop = k + 8; k < stop && k < sinks.size() && sinks[k] <= panel.common; ++k) {
        const T* const at = first + sinks[k];
        accumulator column[rows];
        for_each<rows>([&](auto r) { column[r] = element::load(at[r * panel.stride]); });
        few = few + batch::load_unaligned(column);
      }
      simd::add_widened(few, on_sinks);
    }
    for (; k < sinks.size() && sinks[k] < panel.common + rows; ++k) {  // rows from its own on see it
      for (std::size_t r = sinks[k] - panel.common; r < rows; ++r)
        on_sinks[r] += static_cast<double>(element::load(first[r * panel.stride + sinks[k]]));
    }
  }

  /// Multiplies all rows: sinks by `at_sinks`, other keys of row r by factors[r].
  static void scale(T* first, const extent& panel, const accumulator* marks, accumulator at_sinks,
                    const accumulator* factors) noexcept {
    constexpr std::size_t few = std::min(rows, std::size_t{4});
    if (is_short(panel)) {
      scale_group<0, rows>(first, panel, marks, at_sinks, factors);
    } else {
      for_each<rows / few>(
          [&](auto g) { scale_group<g * few, few>(first, panel, marks, at_sinks, factors); });
    }
  }

  /// scale() for row r alone.
  static void scale_row(T* row, std::size_t r, const extent& panel, const accumulator* marks,
                        accumulator at_sinks, accumulator factor) noexcept {
    const batch on_sinks(at_sinks), other(factor);
    for (std::size_t j = panel.begin; j < panel.common; j += lanes)
      access::store(access::load(row + j) * xsimd::select(is_marked(marks + j), on_sinks, other), row + j);
    T* const rest = row + panel.common;
    const batch factors = xsimd::select(is_marked(marks + panel.common), on_sinks, other);
    access::store_first(access::load_first(rest, r + 1) * factors, rest, r + 1);
  }

 private:
  [[nodiscard]] static bool is_short(const extent& panel) noexcept {
    constexpr std::size_t bytes = 16384;  // half of a usual first-level cache
    return (panel.common - panel.begin) * rows * sizeof(T) <= bytes;
  }

  /// `Count` rows. Eight addresses and one distance reach sixteen rows: more would leave the processor's
  /// registers.
  template <class Element, std::size_t Count>
  class addresses {
   public:
    addresses(Element* first, std::size_t stride) noexcept : second_(held * stride) {
      for_each<held>([&](auto r) { row_[r] = first + r * stride; });
    }
    template <class Row>
    [[nodiscard]] Element* at(Row r, std::size_t j) const noexcept {
      return row_[r % held] + (r < held ? j : j + second_);
    }

   private:
    static constexpr std::size_t held = std::min(Count, std::size_t{8});
    static_assert(Count <= 2 * held);
    Element* row_[held];
    std::size_t second_;
  };

  /// Rows First .. First + Count - 1 of add_columns().
  template <std::size_t First, std::size_t Count>
  static void add_rows(const T* first, const extent& panel, double* sums) noexcept {
    const T* const begin = first + First * panel.stride;
    const addresses<const T, Count> row(begin, panel.stride);
    const std::size_t end = panel.common;
    for (std::size_t j = panel.begin; j < end; j += lanes) {
      for (std::size_t r = Count; r < 2 * Count; ++r)
        simd::prefetch(begin + j, r * panel.stride);
      const auto visible = [&](auto r) { return access::load(row.at(r, j)); };
      for_each<Count / 8>([&](auto part) { simd::add_widened(tree_sum<8, part * 8>(visible), sums + j); });
    }
    const auto own = [&](auto r) { return access::load_first(row.at(r, end), First + r + 1); };
    for_each<Count / 8>([&](auto part) { simd::add_widened(tree_sum<8, part * 8>(own), sums + end); });
  }

  template <std::size_t Group>
  static void sum_in_groups(const T* first, const extent& panel, const accumulator* marks,
                            double* elsewhere) noexcept {
    constexpr std::size_t pair = 2 * lanes;
    constexpr std::size_t chunk =
        (std::is_same_v<accumulator, double> ? 16 : 8) * pair;  // no wider type to go on in
    for (std::size_t r = 0; r < rows; ++r)
      elsewhere[r] = 0;
    const std::size_t common = panel.common;
    std::size_t from = panel.begin;
    while (true) {
      const bool last = common - from < chunk + lanes;
      const std::size_t end = last ? common - (common - from) % pair : from + chunk;
      batch sums[rows];
      for_each<rows / Group>([&](auto g) {
        constexpr std::size_t begin = g * Group;
        const addresses<const T, Group> row(first + begin * panel.stride, panel.stride);
        if (last) {
          const auto marked = is_marked(marks + common);
          for_each<Group>([&](auto r) {
            sums[begin + r] = unless(marked, access::load_first(row.at(r, common), begin + r + 1));
          });
          if (end != common) {
            const auto marked_here = is_marked(marks + end);
            for_each<Group>([&](auto r) {
              sums[begin + r] = sums[begin + r] + unless(marked_here, access::load(row.at(r, end)));
            });
          }
        } else {
          for_each<Group>([&](auto r) { sums[begin + r] = batch(accumulator(0)); });
        }
        for (std::size_t j = from; j < end; j += pair) {
          const auto marked_0 = is_marked(marks + j), marked_1 = is_marked(marks + j + lanes);
          for_each<Group>([&](auto r) {
            sums[begin + r] = sums[begin + r] + (unless(marked_0, access::load(row.at(r, j))) +
                                                 unless(marked_1, access::load(row.at(r, j + lanes))));
          });
        }
      });
      accumulator each[rows];
      simd::sum_lanes_of_each(sums, each);
      for (std::size_t r = 0; r < rows; ++r)
        elsewhere[r] += static_cast<double>(each[r]);
      if (last) return;
      from = end;
    }
  }

  /// Rows First .. First + Group - 1 of scale().
  template <std::size_t First, std::size_t Group>
  static void scale_group(T* first, const extent& panel, const accumulator* marks, accumulator at_sinks,
                          const accumulator* factors) noexcept {
    const addresses<T, Group> row(first + First * panel.stride, panel.stride);
    const batch on_sinks(at_sinks);
    batch others[Group];
    for_each<Group>([&](auto r) { others[r] = batch(factors[First + r]); });
    const std::size_t common = panel.common;
    for (std::size_t j = panel.begin; j < common; j += lanes) {
      const auto marked = is_marked(marks + j);
      for_each<Group>([&](auto r) {
        T* const at = row.at(r, j);
        access::store(access::load(at) * xsimd::select(marked, on_sinks, others[r]), at);
      });
    }
    const auto marked = is_marked(marks + common);
    for_each<Group>([&](auto r) {
      T* const at = row.at(r, common);
      const batch factor = xsimd::select(marked, on_sinks, others[r]);
      access::store_first(access::load_first(at, First + r + 1) * factor, at, First + r + 1);
    });
  }

  /// Calls step(0) .. step(Count - 1) with constants: arrays of batches stay in registers at every -O level.
  template <std::size_t Count, class Step>
  ACT_DETAIL_ALWAYS_INLINE static void for_each(Step&& step) noexcept {
    for_each(step, std::make_index_sequence<Count>{});
  }
  template <class Step, std::size_t... r>
  ACT_DETAIL_ALWAYS_INLINE static void for_each(Step& step, std::index_sequence<r...>) noexcept {
    (step(std::integral_constant<std::size_t, r>{}), ...);
  }

  [[nodiscard]] static auto is_marked(const accumulator* marks) noexcept {
    return batch::load_unaligned(marks) > batch(accumulator(0));
  }

  /// Zero at marks.
  [[nodiscard]] static batch unless(const auto& marked, const batch& values) noexcept {
    return xsimd::select(marked, batch(accumulator(0)), values);
  }
};

#endif

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
