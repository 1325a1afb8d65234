// Sinks while decoding with a key/value cache: the state of one head between steps.
// For engines that generate token by token and have the current row of weights. One tracker for each
// calibrated head.
//
// A step adds the raw row to the running column sums, finds the sinks among the keys so far, and calibrates
// the row: the order matters, and the sums always hold raw weights. Rows of earlier steps are gone, so a
// sequence that is decoded differs from the same one calibrated as a whole prompt: there, later rows decide
// about earlier ones too.
//
// Cost of a step: one addition and one comparison a key in double, and the row's own calibration. Memory: 16
// bytes a key, 24 with the baseline-corrected rule.
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
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
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
    return rows_[slot] > 0 ? sums_[slot] / rows_[slot] : 0;
  }

  /// Makes room for `keys` slots and more: until they are there, steps don't allocate but for their list of
  /// sinks.
  void reserve(std::size_t keys) {
    if (keys <= sums_.capacity()) return;
    const std::size_t room = std::max(keys, 2 * sums_.capacity());
    sums_.reserve(room);
    rows_.reserve(room);
    if (tracks_uniform()) uniform_.reserve(room);
  }

  /// Begins after a prompt: its raw column sums (add_column_sums) over `queries` rows that saw what `visible`
  /// says for `batch`. `sums` covers the keys up to the last row's own. Replaces the state.
  void start(std::span<const double> sums, const visibility& visible, std::size_t batch,
             std::size_t queries) {
    if (visible.query_offset > sums.size() || sums.size() - visible.query_offset != queries) {
      throw error(error_code::invalid_shape, "sums",
                  "need one element for each key up to the last row's own");
    }
    if (!visible.first_key.empty() && batch >= visible.first_key.size()) {
      throw error(error_code::invalid_shape, "batch", "is past visible.first_key");
    }
    sums_.assign(sums.begin(), sums.end());
    rows_.assign(sums.size(), 0);
    uniform_.assign(tracks_uniform() ? sums.size() : 0, 0);
    initial_ = visible.initial_key(batch);
    initial_is_there_ = true;
    evicted_ = 0;
    detail::uniform_baseline baseline(visible, batch, visible.query_offset, sums.size());
    for (std::size_t j = initial_; j < sums.size(); ++j) {
      rows_[j] = static_cast<double>(visible.rows_seeing(batch, j, visible.query_offset, sums.size()));
      if (tracks_uniform()) uniform_[j] = baseline.at(j) * rows_[j];
    }
    find_sinks();
  }

  /// One decoding step: adds the raw `row` (one element a slot, the new key's last; it sees `seen`) and finds
  /// the sinks, but leaves the row as it is. Rows may have more keys than before, never fewer.
  template <attention_element T>
  void append(std::span<const T> row, key_range seen) {
    if (row.size() < keys() || seen.begin > seen.end || seen.end > row.size()) {
      throw error(error_code::invalid_shape, "row",
                  "needs an element for each tracked key, and `seen` within them");
    }
    sums_.resize(row.size(), 0);
    rows_.resize(row.size(), 0);
    if (tracks_uniform()) uniform_.resize(row.size(), 0);
    add(row, seen, 1);
    find_sinks();
  }

  /// A step that calibrates: append(), then the row's own calibration in place. Returns the mass moved.
  template <attention_element T, class Arch = simd::default_arch>
  double calibrate_row(std::span<T> row, key_range seen) {
    append(std::span<const T>(row), seen);
    if (options_.beta == 1) return 0;
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
    if (row.size() != keys() || row.empty() || seen.begin > seen.end || seen.end > row.size()) {
      throw error(error_code::invalid_shape, "row",
                  "needs an element for each tracked key, and `seen` within them");
    }
    add(row, seen, -1);
    sums_.pop_back();
    rows_.pop_back();
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
    const auto erase = [&](std::vector<double>& each) {
      each.erase(each.begin() + static_cast<std::ptrdiff_t>(range.begin),
                 each.begin() + static_cast<std::ptrdiff_t>(range.end));
    };
    erase(sums_);
    erase(rows_);
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
    std::vector<std::byte> bytes(sizeof head +
                                 (sums_.size() + rows_.size() + uniform_.size()) * sizeof(double));
    std::byte* to = bytes.data();
    const auto put = [&](const void* from, std::size_t size) {
      if (size != 0) std::memcpy(to, from, size);
      to += size;
    };
    put(head.data(), sizeof head);
    for (const auto* each : {&sums_, &rows_, &uniform_})
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
    sums_ = std::move(lists[0]);
    rows_ = std::move(lists[1]);
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

  template <class T>
  void add(std::span<const T> row, key_range seen, double sign) noexcept {
    for (std::size_t j = seen.begin; j < seen.end; ++j) {
      sums_[j] += sign * static_cast<double>(element_traits<T>::load(row[j]));
    }
    for (std::size_t j = seen.begin; j < seen.end; ++j)
      rows_[j] += sign;
    if (!tracks_uniform() || seen.empty()) return;
    const double share = sign / static_cast<double>(seen.size());
    for (std::size_t j = seen.begin; j < seen.end; ++j)
      uniform_[j] += share;
  }

  /// Compares sums with threshold * rows: no division a key. Keys go in blocks, and a block is only looked
  /// through when one of it is over.
  void find_sinks() {
    sinks_.clear();
    const std::size_t first = initial_is_there_ ? initial_ + 1 : 0;
    if (first >= keys()) return;
    const std::size_t so_far = keys() + evicted_ - (initial_is_there_ ? initial_ : 0);
    const double alpha = options_.sinks.alpha;
    const double threshold =
        options_.sinks.rule == sink_rule::absolute ? options_.sinks.tau : alpha / static_cast<double>(so_far);
    const double* const against = tracks_uniform() ? uniform_.data() : rows_.data();
    const double factor = tracks_uniform() ? alpha : threshold;
    const auto least_rows = static_cast<double>(options_.sinks.min_visible_rows);
    constexpr std::size_t block = 64;
    for (std::size_t from = first; from < keys(); from += block) {
      const std::size_t to = std::min(from + block, keys());
      int over = 0;
      for (std::size_t j = from; j < to; ++j)
        over |= sums_[j] > factor * against[j] ? 1 : 0;
      for (std::size_t j = from; over != 0 && j < to; ++j) {
        if (sums_[j] > factor * against[j] && rows_[j] >= least_rows) sinks_.push_back(j);
      }
    }
  }

  calibration_options options_;
  std::vector<double> sums_, rows_,
      uniform_;  // of each slot: raw mass, rows that saw it, what uniform rows would give
  std::vector<std::size_t> sinks_;
  std::size_t initial_ = 0;  // the slot of the sequence's initial token, while it is in the cache
  bool initial_is_there_ = true;
  std::size_t evicted_ = 0;
};

}  // namespace act::inline ACT_ABI
