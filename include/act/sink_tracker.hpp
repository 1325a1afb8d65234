// Sinks while decoding with a key/value cache: the state of one head between steps.
// For engines that generate token by token and have the current row of weights. One tracker for each
// calibrated head.
//
// A step adds the raw row to the running column sums, finds the sinks among the keys so far, and calibrates
// the row: the order matters, and the sums always hold raw weights. Rows of earlier steps are gone, so a
// sequence that is decoded differs from the same one calibrated as a whole prompt: there, later rows decide
// about earlier ones too.
//
// Cost of a step: one pass over the keys with an addition and a comparison in double, and the row's own
// calibration. Memory: 12 bytes a key, 20 with the baseline-corrected rule. How many rows saw a key is not
// counted key by key: nearly all keys see every step, so what is kept is the step after which each began to,
// and only keys out of sight are written to.
#pragma once

#include <act/attention_view.hpp>
#include <act/element.hpp>
#include <act/error.hpp>
#include <act/kernels/simd.hpp>
#include <act/options.hpp>
#include <act/redistribution.hpp>
#include <act/sinks.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace act::inline ACT_ABI {

/// Copying a tracker forks it (beams); restoring a copy takes steps back.
class sink_tracker {
 public:
  /// Throws act::error: invalid_option; unsupported for the authors' behaviour, which keeps no state.
  explicit sink_tracker(const calibration_options& options = {}) : options_(options) {
    throw_if(options.validate(), error_code::invalid_option);
    if (options.behave_as != compatibility::none || options.redistribute != redistribution::proportional) {
      throw error(error_code::unsupported, "options",
                  "decoding knows the paper's rule with proportional redistribution");
    }
  }

  /// Cache slots that are tracked. Slot j is element j of every row.
  [[nodiscard]] std::size_t keys() const noexcept { return sums_.size(); }
  /// The sinks as of the last step, slots in ascending order.
  [[nodiscard]] std::span<const std::size_t> sinks() const noexcept { return sinks_; }
  [[nodiscard]] double score(std::size_t slot) const noexcept {
    return rows(slot) > 0 ? sums_[slot] / rows(slot) : 0;
  }

  /// Makes room for `keys` slots and more: until they are there, steps don't allocate but for their list of
  /// sinks.
  void reserve(std::size_t keys) {
    if (keys <= sums_.capacity()) return;
    const std::size_t room = std::max(keys, 2 * sums_.capacity());
    sums_.reserve(room);
    unseen_.reserve(room);
    if (tracks_uniform()) uniform_.reserve(room);
  }

  /// Begins after a prompt: its raw column sums (add_column_sums) over `queries` rows that saw what `visible`
  /// says for `batch`. `sums` covers the keys up to the last row's own. Replaces the state.
  void start(std::span<const double> sums, const visibility& visible, std::size_t batch,
             std::size_t queries) {
    if (visible.query_offset > sums.size() || sums.size() - visible.query_offset != queries ||
        sums.size() > most_steps) {
      throw error(error_code::invalid_shape, "sums",
                  "need one element for each key up to the last row's own, fewer than 2^31");
    }
    if (!visible.first_key.empty() && batch >= visible.first_key.size()) {
      throw error(error_code::invalid_shape, "batch", "is past visible.first_key");
    }
    sums_.assign(sums.begin(), sums.end());
    unseen_.assign(sums.size(), static_cast<std::int32_t>(queries));
    steps_ = static_cast<std::int32_t>(queries);
    uniform_.assign(tracks_uniform() ? sums.size() : 0, 0);
    initial_ = visible.initial_key(batch);
    initial_is_there_ = true;
    evicted_ = 0;
    detail::uniform_baseline baseline(visible, batch, visible.query_offset, sums.size());
    for (std::size_t j = initial_; j < sums.size(); ++j) {
      unseen_[j] -=
          static_cast<std::int32_t>(visible.rows_seeing(batch, j, visible.query_offset, sums.size()));
      if (tracks_uniform()) uniform_[j] = baseline.at(j) * rows(j);
    }
    find_sinks();
  }

  /// One decoding step: adds the raw `row` (one element a slot, the new key's last; it sees `seen`) and finds
  /// the sinks, but leaves the row as it is. Rows may have more keys than before, never fewer.
  template <attention_element T>
  void append(std::span<const T> row, key_range seen) {
    if (row.size() < keys() || seen.end > row.size()) {
      throw error(error_code::invalid_shape, "row",
                  "needs an element for each tracked key, and `seen` within them");
    }
    if (row.size() > most_steps || static_cast<std::size_t>(steps_) >= most_steps) {
      throw error(error_code::unsupported, "row", "is one of more than 2^31 steps or keys");
    }
    if (seen.empty()) seen = {seen.end, seen.end};  // visibility::row of padding begins behind its end
    sums_.resize(row.size(), 0);
    unseen_.resize(row.size(), steps_);
    if (tracks_uniform()) uniform_.resize(row.size(), 0);
    add(row, seen, 1);
  }

  /// A step that calibrates: append(), then the row's own calibration in place. Returns the mass moved.
  template <attention_element T, class Arch = simd::default_arch>
  double calibrate_row(std::span<T> row, key_range seen) {
    append(std::span<const T>(row), seen);
    if (options_.beta == 1 || seen.empty()) return 0;
    return detail::redistribute_proportionally<T, Arch>(row.data(), seen, detail::sinks_within(sinks_, seen),
                                                        options_.beta);
  }
  /// With all slots visible.
  template <attention_element T, class Arch = simd::default_arch>
  double calibrate_row(std::span<T> row) {
    return calibrate_row<T, Arch>(row, {initial_is_there_ ? initial_ : 0, row.size()});
  }

  /// Takes the last step back (a rejected draft token): `row` is that step's raw row, its new key is
  /// forgotten. Several: the last first. Exact to rounding; exactly: restore a copy.
  template <attention_element T>
  void retract(std::span<const T> row, key_range seen) {
    if (row.size() != keys() || row.empty() || seen.end > row.size()) {
      throw error(error_code::invalid_shape, "row",
                  "needs an element for each tracked key, and `seen` within them");
    }
    if (seen.empty()) seen = {seen.end, seen.end};
    add(row, seen, -1);
    sums_.pop_back();
    unseen_.pop_back();
    if (tracks_uniform()) uniform_.pop_back();
    find_sinks();
  }

  /// Slots [range.begin, range.end) leave the cache; later ones move down. N of the relative rule still
  /// counts them, as with a sliding window.
  void evict(key_range range) {
    if (range.begin > range.end || range.end > keys()) {
      throw error(error_code::invalid_shape, "range", "isn't within the tracked keys");
    }
    const std::size_t from = std::max(range.begin, initial_is_there_ ? initial_ : 0);
    evicted_ += range.end > from ? range.end - from : 0;
    const auto erase = [&](auto& each) {
      each.erase(each.begin() + static_cast<std::ptrdiff_t>(range.begin),
                 each.begin() + static_cast<std::ptrdiff_t>(range.end));
    };
    erase(sums_);
    erase(unseen_);
    if (tracks_uniform()) erase(uniform_);
    if (initial_is_there_ && range.contains(initial_)) {
      initial_is_there_ = false;
    } else if (initial_is_there_ && range.end <= initial_) {
      initial_ -= range.size();
    }
    find_sinks();
  }

  /// The state as bytes of this machine's byte order; options are not in it.
  [[nodiscard]] std::vector<std::byte> save() const {
    const std::array<std::uint64_t, 6> head{
        format, keys(), initial_, initial_is_there_ ? 1U : 0U, evicted_, tracks_uniform() ? 1U : 0U};
    std::vector<double> seen_by(keys());
    for (std::size_t j = 0; j < keys(); ++j)
      seen_by[j] = rows(j);
    std::vector<std::byte> bytes(sizeof head + (2 * keys() + uniform_.size()) * sizeof(double));
    std::byte* to = bytes.data();
    const auto put = [&](const void* from, std::size_t size) {
      if (size != 0) std::memcpy(to, from, size);
      to += size;
    };
    put(head.data(), sizeof head);
    for (const auto* each : {&sums_, &std::as_const(seen_by), &uniform_})
      put(each->data(), each->size() * sizeof(double));
    return bytes;
  }

  /// Restores what save() gave, under this tracker's own options. Throws act::error (invalid_input) when the
  /// bytes aren't such a state, or one for another kind of rule; the tracker then stays as it was.
  void load(std::span<const std::byte> bytes) {
    std::array<std::uint64_t, 6> head{};
    const auto demand = [](bool met) {
      if (!met)
        throw error(error_code::invalid_input, "state", "isn't one that a tracker with these options saved");
    };
    demand(bytes.size() >= sizeof head);
    std::memcpy(head.data(), bytes.data(), sizeof head);
    const std::size_t columns = tracks_uniform() ? 3 : 2;
    demand(head[0] == format && head[5] == (tracks_uniform() ? 1U : 0U) && head[3] <= 1);
    demand((head[2] | head[4]) < std::uint64_t{1} << 48);  // the initial token may still be to come
    demand((bytes.size() - sizeof head) % (columns * sizeof(double)) == 0);
    demand(head[1] == (bytes.size() - sizeof head) / (columns * sizeof(double)));
    const std::byte* from = bytes.data() + sizeof head;
    std::array<std::vector<double>, 3> lists;
    for (std::size_t each = 0; each < columns; ++each) {
      lists[each].resize(head[1]);
      if (head[1] != 0) std::memcpy(lists[each].data(), from, head[1] * sizeof(double));
      from += head[1] * sizeof(double);
    }
    for (const double count : lists[1])
      demand(count >= 0 && count <= static_cast<double>(most_steps) && count == std::floor(count));
    sums_ = std::move(lists[0]);
    unseen_.assign(lists[1].size(), 0);
    steps_ = 0;
    for (const double count : lists[1])
      steps_ = std::max(steps_, static_cast<std::int32_t>(count));
    for (std::size_t j = 0; j < unseen_.size(); ++j)
      unseen_[j] = steps_ - static_cast<std::int32_t>(lists[1][j]);
    uniform_ = std::move(lists[2]);
    initial_ = head[2];
    initial_is_there_ = head[3] == 1;
    evicted_ = head[4];
    find_sinks();
  }

 private:
  static constexpr std::uint64_t format = 0x31736b6e69737461;  // "atsinks1"

  [[nodiscard]] bool tracks_uniform() const noexcept {
    return options_.sinks.rule == sink_rule::baseline_corrected;
  }

  // How many rows saw a slot.
  [[nodiscard]] double rows(std::size_t slot) const noexcept {
    return static_cast<double>(steps_ - unseen_[slot]);
  }

  // What makes a slot a sink, as of all that is stored.
  struct sink_test {
    std::size_t first;  // slots before it are never sinks
    double factor;      // times what a slot is measured against
    std::int32_t least_rows;
  };
  [[nodiscard]] sink_test test() const noexcept {
    const std::size_t so_far = keys() + evicted_ - (initial_is_there_ ? initial_ : 0);
    const sink_options& rule = options_.sinks;
    const double threshold =
        rule.rule == sink_rule::absolute ? rule.tau : rule.alpha / static_cast<double>(so_far);
    return {.first = initial_is_there_ ? initial_ + 1 : 0,
            .factor = tracks_uniform() ? rule.alpha : threshold,
            .least_rows = static_cast<std::int32_t>(std::min(rule.min_visible_rows, most_steps))};
  }

  // One step more or less (`sign`), the sinks after one more included: each slot is visited once.
  template <class T>
  void add(std::span<const T> row, key_range seen, std::int32_t sign) {
    steps_ += sign;
    const std::size_t behind = std::max(seen.begin, seen.end);
    for (std::size_t j = 0; j < seen.begin; ++j)
      unseen_[j] += sign;
    for (std::size_t j = behind; j < keys(); ++j)
      unseen_[j] += sign;
    if (tracks_uniform() && !seen.empty()) {
      const double share = sign / static_cast<double>(seen.size());
      for (std::size_t j = seen.begin; j < seen.end; ++j)
        uniform_[j] += share;
    }
    sinks_.clear();
    const sink_test is = test();
    collect(is, {0, seen.begin}, [](std::size_t) { return 0.0; });
    collect(is, seen, [&](std::size_t j) {
      return static_cast<double>(sign) * static_cast<double>(element_traits<T>::load(row[j]));
    });
    collect(is, {behind, keys()}, [](std::size_t) { return 0.0; });
  }

  void find_sinks() {
    sinks_.clear();
    collect(test(), {0, keys()}, [](std::size_t) { return 0.0; });
  }

  // Adds added(slot) to the sums of a range of slots and appends its sinks: sums against factor * rows, no
  // division a slot. Slots go in blocks, and a block is only looked through when one of it is over.
  template <class Added>
  void collect(const sink_test& is, key_range range, Added&& added) {
    constexpr std::size_t block = 64;
    double* const sums = sums_.data();
    const std::int32_t* const unseen = unseen_.data();
    const double* const uniform = uniform_.data();
    for (std::size_t from = range.begin; from < range.end; from += block) {
      const std::size_t to = std::min(from + block, range.end);
      int over = 0;
      if (tracks_uniform()) {
        for (std::size_t j = from; j < to; ++j) {
          sums[j] += added(j);
          over |= sums[j] > is.factor * uniform[j] ? 1 : 0;
        }
      } else {
        for (std::size_t j = from; j < to; ++j) {
          sums[j] += added(j);
          over |= sums[j] > is.factor * static_cast<double>(steps_ - unseen[j]) ? 1 : 0;
        }
      }
      for (std::size_t j = std::max(from, is.first); over != 0 && j < to; ++j) {
        const double against = tracks_uniform() ? uniform[j] : rows(j);
        if (sums[j] > is.factor * against && steps_ - unseen[j] >= is.least_rows) sinks_.push_back(j);
      }
    }
  }

  static constexpr std::size_t most_steps = std::numeric_limits<std::int32_t>::max();

  calibration_options options_;
  std::vector<double> sums_, uniform_;  // of each slot: raw mass, what uniform rows would have given
  std::vector<std::int32_t> unseen_;    // of each slot: steps that didn't see it, those before it included
  std::int32_t steps_ = 0;
  std::vector<std::size_t> sinks_;
  std::size_t initial_ = 0;  // the slot of the sequence's initial token, while it is in the cache
  bool initial_is_there_ = true;
  std::size_t evicted_ = 0;
};

}  // namespace act::inline ACT_ABI
