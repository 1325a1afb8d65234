// Running column sums of one head while it decodes, and which of them are over their threshold: exact after
// every step, though most columns are only added to. The machinery of sink_tracker.hpp, which says what the
// threshold is; kernels/column_block.hpp has the arithmetic.
//
// Columns go in blocks of 64. Of each block the last look left a limit: while no `recent` of the block is
// over it, no column of the block is over its threshold, because a threshold (the rule's factor times the
// rows that saw the column) doesn't fall below what the limit was made with before the block is looked
// through again, `column_interval` steps later. Sinks, and the initial token that never becomes one, would
// soon be over any limit: their sums are kept aside, and sinks tested each step. A row that sees a part of a
// block goes to the sums of that part at once, so that `pending` rows of a block are those of each of its
// columns.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/column_state.hpp>
#include <act/detail/kernels/column_block.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/element.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// When a column is a sink.
struct column_rule {
  static constexpr std::size_t nobody = std::numeric_limits<std::size_t>::max();
  std::size_t spared = nobody;  ///< never one, nor any before it
  std::size_t end = nobody;     ///< nor any from here on
  double factor = 0;            ///< times its measure is a column's threshold
  double least_factor = 0;      ///< `factor` will be no less in the next `column_interval` steps
  std::int32_t least_rows = 1;  ///< that must have seen it
};

class sink_columns {
 public:
  explicit sink_columns(bool by_uniform) noexcept : by_uniform_(by_uniform) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Those over their threshold, ascending.
  [[nodiscard]] std::span<const std::size_t> sinks() const noexcept { return sinks_; }
  [[nodiscard]] std::int32_t rows(std::size_t j) const noexcept {
    return now_.rows[j] + looks_[j / column_block_size].pending;
  }
  [[nodiscard]] double sum(std::size_t j) const noexcept {
    if (j == spared_) return spared_sum_;
    const std::size_t k = place(j);
    if (k < sinks_.size() && sinks_[k] == j) return aside_[k].sum;
    return now_.sums[j] + static_cast<double>(now_.recent[j]);
  }

  /// Room for so many columns and more, all of which may be sinks: until they are there nothing allocates,
  /// and what follows can't fail. When it throws std::bad_alloc, the state is what it was.
  void reserve(std::size_t columns) {
    const std::size_t before = room();
    if (columns <= before) return;
    const std::size_t most = std::max(column_blocks(columns), 2 * column_blocks(before));
    now_.reserve(most, by_uniform_);
    looks_.reserve(most);
    sinks_.reserve(most * column_block_size);
    aside_.reserve(most * column_block_size);
  }

  /// Columns that there is room for.
  [[nodiscard]] std::size_t capacity() const noexcept { return room(); }

  /// What is known of a column that others have summed.
  struct begun {
    double sum = 0, uniform = 0;
    std::int32_t rows = 0;
  };
  /// Begins anew with `columns` of them, within capacity(); fill(j) is what is known of column j.
  /// look_at_all() follows.
  template <class Fill>
  void begin(std::size_t columns, Fill&& fill) noexcept {
    now_.resize(0, by_uniform_);
    looks_.clear();
    forget_aside();
    now_.step = 0;
    size_ = columns;
    resize(columns);
    for (std::size_t j = 0; j < columns; ++j) {
      const begun known = fill(j);
      now_.sums[j] = known.sum;
      now_.rows[j] = known.rows;
      if (by_uniform_) now_.uniform[j] = known.uniform;
    }
  }

  /// Asks for the memory that add() of a row that sees up to `size` columns will touch, but for most blocks.
  void prefetch(std::size_t size) const noexcept {
    constexpr std::size_t line = 64;
    for (std::size_t b = 0; b < looks_.size(); b += line / sizeof(last_look))
      simd::prefetch(looks_.data(), b);
    for (std::size_t k = 0; k < sinks_.size(); k += line / sizeof(sum_aside)) {
      simd::prefetch(aside_.data(), k);
      simd::prefetch(sinks_.data(), k);
    }
    now_.prefetch(column_blocks(size) - 1);
  }
  /// Asks for what it will touch of most blocks, columns [from, to).
  void prefetch(std::size_t from, std::size_t to) const noexcept {
    for (std::size_t j = from; j < to; j += 16)
      simd::prefetch(now_.recent.data(), j);
    const std::size_t turn = (now_.step + 1) % column_interval;
    for (std::size_t b = from / column_block_size; b < column_blocks(to); ++b)
      if (b / turn_blocks % column_interval == turn) now_.prefetch(b);
  }

  /// One row: adds row[j] * factor to each column of `seen`, which lies within `size` columns, no fewer than
  /// before. Half types and float are added in float first.
  template <class Arch, class T>
  void add(const T* row, std::size_t size, key_range seen, accumulator_t<T> factor, const column_rule& rule) {
    reserve(size);
    const bool jumps = size > size_ + 1;  // the relative rule's factor then falls faster than limits allow
    if (size > size_) grow(size, rule);
    now_.step = (now_.step + 1) % column_interval;
    const double share = by_uniform_ && !seen.empty() ? 1 / static_cast<double>(seen.size()) : 0;
    add_aside(row, seen, factor);
    // Blocks [first, last) are seen whole.
    const std::size_t first = column_blocks(seen.begin), last = seen.end / column_block_size;
    if (first > last) {  // a part of one block
      add_part<Arch>(row, seen, factor, share, rule);
    } else {
      add_part<Arch>(row, {seen.begin, first * column_block_size}, factor, share, rule);
      add_blocks<Arch>(row, first, last, factor, share, rule);
      add_part<Arch>(row, {last * column_block_size, seen.end}, factor, share, rule);
    }
    // Out of sight the relative rule's threshold may fall below a sum.
    look_closely<Arch>(0, seen.empty() ? looks_.size() : seen.begin / column_block_size, rule);
    look_closely<Arch>(column_blocks(seen.end), looks_.size(), rule);
    constexpr std::size_t period = turn_blocks * column_interval;
    for (std::size_t from = now_.step * turn_blocks; from < looks_.size(); from += period) {
      for (std::size_t b = from; b < std::min(from + turn_blocks, looks_.size()); ++b) {
        look<Arch, true>(b, rule);
      }
    }
    if (jumps) look_at_all<Arch>(rule);
    test_aside<Arch>(seen, rule);
  }

  /// Finds the sinks by looking at every column.
  template <class Arch>
  void look_at_all(const column_rule& rule) {
    if (spared_ == column_rule::nobody && rule.spared < size_) spare(rule.spared);
    for (std::size_t b = 0; b < looks_.size(); ++b)
      look<Arch, false>(b, rule);
  }

  /// Everything into sums and rows, for the calls below. There are no sinks until look_at_all().
  void settle() noexcept {
    for (std::size_t b = 0; b < looks_.size(); ++b)
      now_.settle(b, looks_[b].pending);
    put_back(now_);
    forget_aside();
    std::fill(looks_.begin(), looks_.end(), last_look{});
  }

  /// Takes the last row, and the last column, back. Settled; look_at_all() follows.
  template <class T>
  void take_back(const T* row, key_range seen) {
    const double share = 1 / static_cast<double>(seen.size());
    for (std::size_t j = seen.begin; j < seen.end; ++j) {
      now_.sums[j] -= static_cast<double>(element_traits<T>::load(row[j]));
      --now_.rows[j];
      if (by_uniform_) now_.uniform[j] -= share;
    }
    erase({size_ - 1, size_});
  }

  /// Settled; look_at_all() follows.
  void erase(key_range range) {
    now_.erase(range, size_);
    size_ -= range.size();
    resize(size_);
  }

  /// The state of `size` columns, what is aside and pending in place.
  [[nodiscard]] column_state state() const {
    column_state stored = now_;
    put_back(stored);
    for (std::size_t j = 0; j < size_; ++j)
      stored.rows[j] = rows(j);
    stored.resize(size_, by_uniform_);
    return stored;
  }

  /// Replaces the state. Lists that are empty count as noughts. look_at_all() follows. When it throws
  /// std::bad_alloc, the state is what it was.
  void assign(column_state state) {
    const std::size_t size = state.sums.size();
    state.resize(column_blocks(size) * column_block_size, by_uniform_);
    std::vector<last_look> looks(column_blocks(size));
    sinks_.reserve(state.sums.size());
    aside_.reserve(state.sums.size());
    size_ = size;
    now_ = std::move(state);
    looks_ = std::move(looks);
    forget_aside();
  }

 private:
  // Columns that every list has room for; a copy of this has less than what it was copied from.
  [[nodiscard]] std::size_t room() const noexcept {
    std::size_t columns =
        std::min({now_.sums.capacity(), now_.recent.capacity(), now_.rows.capacity(),
                  looks_.capacity() * column_block_size, sinks_.capacity(), aside_.capacity()});
    if (by_uniform_) {
      columns = std::min({columns, now_.uniform.capacity(), now_.share.capacity() * column_block_size});
    }
    return columns;
  }

  // Blocks that are looked through in the same step, one after another: fewer pages of memory.
  static constexpr std::size_t turn_blocks = 4;
  static constexpr float always = -std::numeric_limits<float>::infinity();
  static constexpr double is_aside = -std::numeric_limits<double>::infinity();  // over no threshold

  struct last_look {
    float limit = 0;           // of `recent`
    std::int32_t pending = 0;  // rows that saw the whole block, not in `rows` yet
  };
  struct sum_aside {
    double sum;
    std::int32_t rows;
  };

  [[nodiscard]] std::size_t place(std::size_t j) const noexcept {
    return static_cast<std::size_t>(std::lower_bound(sinks_.begin(), sinks_.end(), j) - sinks_.begin());
  }

  // What a column is measured against, seen by so many rows.
  [[nodiscard]] double measure(std::size_t j, std::int32_t rows) const noexcept {
    return by_uniform_ ? now_.uniform[j] + now_.share[j / column_block_size] : static_cast<double>(rows);
  }

  void resize(std::size_t size) {
    now_.resize(column_blocks(size) * column_block_size, by_uniform_);
    looks_.resize(column_blocks(size));
  }

  void grow(std::size_t size, const column_rule& rule) {
    if (size > now_.sums.size()) resize(size);
    if (rule.spared >= size_ && rule.spared < size) spare(rule.spared);
    size_ = size;
  }

  void spare(std::size_t j) noexcept {
    spared_ = j;
    spared_sum_ = now_.sums[j] + static_cast<double>(now_.recent[j]);
    now_.sums[j] = is_aside;
    now_.recent[j] = 0;
  }

  void put_back(column_state& to) const noexcept {
    for (std::size_t k = 0; k < sinks_.size(); ++k)
      to.sums[sinks_[k]] = aside_[k].sum;
    if (spared_ != column_rule::nobody) to.sums[spared_] = spared_sum_;
  }

  void forget_aside() noexcept {
    sinks_.clear();
    aside_.clear();
    spared_ = column_rule::nobody;
  }

  template <class Arch>
  void look_closely(std::size_t from, std::size_t to, const column_rule& rule) {
    for (std::size_t b = from; b < to; ++b) {
      if (looks_[b].limit == always) look<Arch, false>(b, rule);
    }
  }

  // Makes columns that are over their threshold sinks, and a limit for the others; moves what is recent and
  // pending on if it `Settles`. Out of line: gcc 12 inlines all calls and runs out of registers.
  template <class Arch, bool Settles>
  [[gnu::noinline]] void look(std::size_t b, const column_rule& rule) {
    const std::size_t from = b * column_block_size;
    last_look& here = looks_[b];
    const std::size_t to = std::min(from + column_block_size, rule.end);  // columns that may be sinks
    const column_measure against{by_uniform_ ? now_.uniform.data() + from : nullptr,
                                 by_uniform_ ? now_.share[b] : 0, now_.rows.data() + from, here.pending};
    const auto found = column_block<Arch>::template look<Settles>(
        now_.sums.data() + from, now_.recent.data() + from, against, rule.least_factor,
        std::max(std::min(size_, to), from) - from);
    if constexpr (Settles) {
      here.pending = 0;
      if (by_uniform_) now_.share[b] = 0;
    }
    // Rounded down. Columns that are still to come may be over their threshold at once.
    const double most = to <= size_ && found.room > 1e-30 ? std::min(found.room, 1e30) * (1 - 0x1p-20) : 0;
    here.limit = found.over && !list_sinks(b, rule) ? always : static_cast<float>(most);
  }

  // Makes the columns of a block that are over their threshold sinks, within reserve()'s room. False if
  // another may become one without being added to.
  [[nodiscard]] bool list_sinks(std::size_t b, const column_rule& rule) {
    bool all = true;
    const std::size_t from = b * column_block_size;
    for (std::size_t j = from; j < std::min(from + column_block_size, rule.end); ++j) {
      const double sum = now_.sums[j] + static_cast<double>(now_.recent[j]), against = measure(j, rows(j));
      if (!(sum > against * rule.least_factor)) continue;
      const bool spared = rule.spared != column_rule::nobody && j <= rule.spared;
      if (!spared && rows(j) >= rule.least_rows && sum > against * rule.factor) {
        set_aside(j, {sum, rows(j)});
      } else {
        all = false;
      }
    }
    return all;
  }

  void set_aside(std::size_t j, const sum_aside& kept) {
    const std::size_t k = place(j);
    aside_.insert(aside_.begin() + static_cast<std::ptrdiff_t>(k), kept);
    sinks_.insert(sinks_.begin() + static_cast<std::ptrdiff_t>(k), j);
    now_.sums[j] = is_aside;
    now_.recent[j] = 0;
  }

  template <class T>
  void add_aside(const T* row, key_range seen, accumulator_t<T> factor) noexcept {
    const auto weight = [&](std::size_t j) {
      return static_cast<double>(element_traits<T>::load(row[j])) * static_cast<double>(factor);
    };
    for (std::size_t k = 0; k < sinks_.size(); ++k) {
      if (!seen.contains(sinks_[k])) continue;
      aside_[k].sum += weight(sinks_[k]);
      ++aside_[k].rows;
    }
    if (seen.contains(spared_)) spared_sum_ += weight(spared_);
  }

  template <class Arch>
  void test_aside(key_range seen, const column_rule& rule) {
    if (seen.contains(spared_)) now_.recent[spared_] = 0;
    for (std::size_t k = 0; k < sinks_.size(); ++k) {
      const std::size_t j = sinks_[k], b = j / column_block_size;
      now_.recent[j] = 0;
      if (aside_[k].sum > measure(j, aside_[k].rows) * rule.factor) continue;
      now_.sums[j] = aside_[k].sum;
      aside_.erase(aside_.begin() + static_cast<std::ptrdiff_t>(k));
      sinks_.erase(sinks_.begin() + static_cast<std::ptrdiff_t>(k));
      look<Arch, false>(b, rule);
      k = place(j) - 1;  // nought less one is as good: ++k follows
    }
  }

  // A part of one block, or nothing.
  template <class Arch, class T>
  void add_part(const T* row, key_range part, accumulator_t<T> factor, double share,
                const column_rule& rule) {
    if (part.empty()) return;
    column_block<Arch>::add_widened(row + part.begin, part.size(), factor, now_.sums.data() + part.begin);
    for (std::size_t j = part.begin; j < part.end; ++j)
      ++now_.rows[j];
    for (std::size_t j = part.begin; by_uniform_ && j < part.end; ++j)
      now_.uniform[j] += share;
    look<Arch, false>(part.begin / column_block_size, rule);
  }

  template <class Arch, class T>
  void add_blocks(const T* row, std::size_t first, std::size_t last, accumulator_t<T> factor, double share,
                  const column_rule& rule) {
    for (std::size_t b = first; b < last; ++b) {
      const std::size_t from = b * column_block_size;
      ++looks_[b].pending;
      if (by_uniform_) now_.share[b] += share;
      if constexpr (std::is_same_v<accumulator_t<T>, float>) {
        if (column_block<Arch>::add(row + from, factor, now_.recent.data() + from, looks_[b].limit)) {
          look<Arch, false>(b, rule);
        }
      } else {
        column_block<Arch>::add_widened(row + from, column_block_size, factor, now_.sums.data() + from);
        look<Arch, false>(b, rule);
      }
    }
  }

  bool by_uniform_;
  std::size_t size_ = 0;
  column_state now_;              // lists reach to the end of the last block: noughts
  std::vector<last_look> looks_;  // of each block
  std::vector<std::size_t> sinks_;
  std::vector<sum_aside> aside_;              // of each sink
  std::size_t spared_ = column_rule::nobody;  // the rule's, once it is there
  double spared_sum_ = 0;
};

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
