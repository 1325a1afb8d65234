// Sinks while decoding with a key/value cache: the state of one head between steps.
// For engines that generate token by token and have the current row of weights. One tracker for each
// calibrated head.
//
// A step adds the raw row to the running column sums, finds the sinks among the keys so far, and calibrates
// the row: the order matters, and the sums always hold raw weights. Rows of earlier steps are gone, so a
// sequence that is decoded differs from the same one calibrated as a whole prompt: there, later rows decide
// about earlier ones too.
//
// Cost of a step: four bytes a key are read and written, with one multiply-add and one comparison, and a
// sixteenth of the keys is looked through in double; then the row's own calibration. Memory: 16 bytes a key,
// 24 with the baseline-corrected rule, and room for 24 more that is touched for sinks only.
// detail/sink_columns.hpp says how the sinks stay exact meanwhile.
//
// A call that throws, whether act::error or std::bad_alloc, leaves the tracker and the row as they were.
//
// Precision. Float rows are summed in float across 16 steps, in double from there on: a score is off by at
// most 9.5e-7 of what the last 16 steps gave the key, relative to all it got, and most by far less. Double
// rows are summed in double.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/column_state.hpp>
#include <act/detail/kernels/proportional_row.hpp>
#include <act/detail/kernels/sinks_in_rows.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/detail/rules/sink_rule.hpp>
#include <act/detail/sink_columns.hpp>
#include <act/element.hpp>
#include <act/error.hpp>
#include <act/options.hpp>
#include <act/simd.hpp>
#include <act/sinks.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace act::inline ACT_ABI::inline ACT_BUILD {

/// Copying a tracker forks it (beams); restoring a copy takes steps back.
class sink_tracker {
 public:
  /// Throws act::error: invalid_option; unsupported for the authors' behaviour, which keeps no state.
  /// @param options rule and beta; copied
  explicit sink_tracker(const calibration_options& options = {})
      : options_(options), columns_(tracks_uniform()) {
    throw_if(options.validate(), error_code::invalid_option);
    if (options.behave_as != compatibility::none || options.redistribute != redistribution::proportional) {
      detail::raise(error_code::unsupported, "options",
                    "decoding knows the paper's rule with proportional redistribution");
    }
  }

  /// @return how many cache slots are tracked; slot j is element j of every row
  [[nodiscard]] std::size_t keys() const noexcept { return columns_.size(); }
  /// @return the sinks as of the last step, slots in ascending order; valid until the next step
  [[nodiscard]] std::span<const std::size_t> sinks() const noexcept { return columns_.sinks(); }
  /// @param slot less than keys()
  /// @return its column score so far; 0 where no row saw it
  [[nodiscard]] double score(std::size_t slot) const noexcept {
    return columns_.rows(slot) > 0 ? columns_.sum(slot) / columns_.rows(slot) : 0;
  }

  /// Makes room for `keys` slots and more: until they are there, steps don't allocate.
  /// @param keys slots in all
  void reserve(std::size_t keys) { columns_.reserve(keys); }

  /// Begins after a prompt: its raw column sums (add_column_sums) over `queries` rows that saw what `visible`
  /// says for `batch`. `sums` covers the keys up to the last row's own. Replaces the state.
  /// @tparam Arch instruction set (simd.hpp)
  /// @param sums one for each key up to the last row's own
  /// @param visible what the prompt's rows saw
  /// @param batch the batch entry of `visible`
  /// @param queries how many rows were summed
  template <class Arch = simd::default_arch>
  void start(std::span<const double> sums, const visibility& visible, std::size_t batch,
             std::size_t queries) {
    if (visible.query_offset > sums.size() || sums.size() - visible.query_offset != queries ||
        sums.size() > most_steps) {
      detail::raise(error_code::invalid_shape, "sums",
                    "need one element for each key up to the last row's own, fewer than 2^31");
    }
    if (!visible.first_key.empty() && batch >= visible.first_key.size()) {
      detail::raise(error_code::invalid_shape, "batch", "is past visible.first_key");
    }
    detail::column_state state{.sums = {sums.begin(), sums.end()},
                               .rows = std::vector<std::int32_t>(sums.size()),
                               .uniform = std::vector<double>(tracks_uniform() ? sums.size() : 0)};
    detail::uniform_baseline baseline(visible, batch, visible.query_offset, sums.size());
    for (std::size_t j = visible.initial_key(batch); j < sums.size(); ++j) {
      const std::size_t rows = visible.rows_seeing(batch, j, visible.query_offset, sums.size());
      state.rows[j] = static_cast<std::int32_t>(rows);
      if (tracks_uniform()) state.uniform[j] = baseline.at(j) * static_cast<double>(rows);
    }
    columns_.assign(std::move(state));
    steps_ = queries;
    initial_ = visible.initial_key(batch);
    initial_is_there_ = true;
    columns_.look_at_all<Arch>(rule(keys()));
  }

  /// One decoding step: adds the raw `row` (one element a slot, the new key's last; it sees `seen`) and finds
  /// the sinks, but leaves the row as it is. Rows may have more keys than before, never fewer.
  /// @tparam T element type of the row
  /// @tparam Arch instruction set (simd.hpp)
  /// @param row raw weights, one a slot
  /// @param seen the slots that the row sees
  template <attention_element T, class Arch = simd::default_arch>
  void append(std::span<const T> row, key_range seen) {
    add<T, Arch>(row, seen, 1);
  }

  /// A step that calibrates: append(), then the row's own calibration in place. Returns the mass moved.
  /// @tparam T element type of the row
  /// @tparam Arch instruction set (simd.hpp)
  /// @param row raw weights, one a slot; calibrated in place
  /// @param seen the slots that the row sees
  /// @return what sinks lost to other keys
  template <attention_element T, class Arch = simd::default_arch>
  double calibrate_row(std::span<T> row, key_range seen) {
    append<T, Arch>(std::span<const T>(row), seen);
    if (options_.beta == 1 || seen.empty()) return 0;
    return detail::redistribute_proportionally<T, Arch>(row.data(), seen, detail::sinks_within(sinks(), seen),
                                                        options_.beta);
  }
  /// With all slots visible.
  /// @param row as above
  /// @return what sinks lost to other keys
  template <attention_element T, class Arch = simd::default_arch>
  double calibrate_row(std::span<T> row) {
    return calibrate_row<T, Arch>(row, {initial_is_there_ ? initial_ : 0, row.size()});
  }

  /// A step of an attention kernel, whose softmax isn't divided by its sum yet: weight j is row[j] *
  /// `inverse`, and `sum` is that of the row. Returns what the kernel multiplies the row's product with V by,
  /// `inverse` or more; only the sinks' elements are written to. As calibrate_row, to rounding, without a
  /// pass over the row for its sum and one for its other keys.
  /// @tparam T float or double
  /// @tparam Arch instruction set (simd.hpp)
  /// @param row numerators of the weights, one a slot
  /// @param seen the slots that the row sees
  /// @param inverse 1 / the row's sum, a learned sink's share in it
  /// @param sum of the row's elements that it sees
  /// @return the factor of the row's product with V
  template <attention_element T, class Arch = simd::default_arch>
  requires std::is_same_v<T, accumulator_t<T>>
  [[nodiscard]] T calibrate_unnormalised(std::span<T> row, key_range seen, T inverse, double sum) {
    add<T, Arch>(std::span<const T>(row), seen, inverse);
    if (options_.beta == 1 || seen.empty()) return inverse;
    const std::span<const std::size_t> here = detail::sinks_within(sinks(), seen);
    const detail::row_change change =
        detail::weigh_proportionally<T, Arch>(row.data(), seen, here, options_.beta, [&] { return sum; });
    if (!change.changes) return inverse;
    const T elsewhere = static_cast<T>(change.elsewhere);
    const T at_sinks = static_cast<T>(options_.beta) / elsewhere;
    for (const std::size_t s : here)
      row[s] *= at_sinks;
    return inverse * elsewhere;
  }

  /// Asks for memory that the next step will use, `keys` slots in all: for a kernel to call before it
  /// computes the row, and for ranges of slots while it computes rather than reads.
  /// @param keys slots in all
  void prefetch(std::size_t keys) const noexcept { columns_.prefetch(keys); }
  /// @param from,to a half-open range of slots
  void prefetch(std::size_t from, std::size_t to) const noexcept { columns_.prefetch(from, to); }

  /// Takes the last step back (a rejected draft token): `row` is that step's raw row, its new key is
  /// forgotten. Several: the last first. Exact to rounding; exactly: restore a copy.
  /// @tparam T element type of the row
  /// @tparam Arch instruction set (simd.hpp)
  /// @param row that step's raw weights, one a slot
  /// @param seen the slots that the row saw
  template <attention_element T, class Arch = simd::default_arch>
  void retract(std::span<const T> row, key_range seen) {
    if (row.size() != keys() || row.empty() || seen.end > row.size()) {
      detail::raise(error_code::invalid_shape, "row",
                    "needs an element for each tracked key, and `seen` within them");
    }
    if (seen.empty()) seen = {seen.end, seen.end};
    columns_.reserve(keys());
    columns_.settle();
    columns_.take_back(row.data(), seen);
    steps_ -= steps_ > 0 ? 1 : 0;
    columns_.look_at_all<Arch>(rule(keys()));
  }

  /// Slots [range.begin, range.end) leave the cache; later ones move down. N of the relative rule is the
  /// number of slots that are kept: rows to come share their weight among those. (A sliding window, whose
  /// keys stay in their slots, doesn't reduce N.)
  /// @tparam Arch instruction set (simd.hpp)
  /// @param range of slots, within keys()
  template <class Arch = simd::default_arch>
  void evict(key_range range) {
    if (range.begin > range.end || range.end > keys()) {
      detail::raise(error_code::invalid_shape, "range", "isn't within the tracked keys");
    }
    columns_.reserve(keys());
    columns_.settle();
    columns_.erase(range);
    if (initial_is_there_ && range.contains(initial_)) {
      initial_is_there_ = false;
    } else if (initial_is_there_ && range.end <= initial_) {
      initial_ -= range.size();
    }
    columns_.look_at_all<Arch>(rule(keys()));
  }

  /// @return the state as bytes of this machine's byte order; options are not in it
  [[nodiscard]] std::vector<std::byte> save() const {
    const detail::column_state state = columns_.state();
    const saved_head head{
        format, keys(), initial_, initial_is_there_ ? 1U : 0U, tracks_uniform() ? 1U : 0U, state.step};
    std::vector<std::byte> bytes(saved_size(keys()));
    std::byte* to = bytes.data();
    const auto put = [&](const auto& list) {
      const std::size_t size = list.size() * sizeof(list[0]);
      if (size != 0) std::memcpy(to, list.data(), size);
      to += size;
    };
    put(head);
    for_each_list(state, put);
    return bytes;
  }

  /// Restores what save() gave, under this tracker's own options: steps go on to the bit as they would have.
  /// Throws act::error (invalid_input) when the bytes aren't such a state, or one for another kind of rule;
  /// the tracker then stays as it was.
  /// @tparam Arch instruction set (simd.hpp)
  /// @param bytes what save() gave
  template <class Arch = simd::default_arch>
  void load(std::span<const std::byte> bytes) {
    saved_head head{};
    const auto demand = [](bool met) {
      if (!met)
        detail::raise(error_code::invalid_input, "state",
                      "isn't one that a tracker with these options saved");
    };
    demand(bytes.size() >= sizeof head);
    std::memcpy(head.data(), bytes.data(), sizeof head);
    const auto [kind, keys, initial, initial_is_there, uniform, step] = head;
    demand(kind == format && uniform == (tracks_uniform() ? 1U : 0U) && initial_is_there <= 1);
    demand(initial < std::uint64_t{1} << 48);  // the initial token may still be to come
    demand(step < detail::column_interval);
    demand(keys <= bytes.size() && bytes.size() == saved_size(keys));
    detail::column_state state{.sums = std::vector<double>(keys),
                               .recent = std::vector<float>(keys),
                               .rows = std::vector<std::int32_t>(keys),
                               .uniform = std::vector<double>(uniform * keys),
                               .share = std::vector<double>(uniform * detail::column_blocks(keys)),
                               .step = step};
    const std::byte* from = bytes.data() + sizeof head;
    for_each_list(state, [&](auto& list) {
      const std::size_t size = list.size() * sizeof(list[0]);
      if (size != 0) std::memcpy(list.data(), from, size);
      from += size;
    });
    std::int32_t most = 0;
    for (const std::int32_t count : state.rows) {
      demand(count >= 0);
      most = std::max(most, count);
    }
    columns_.assign(std::move(state));
    steps_ = static_cast<std::size_t>(most);
    initial_ = initial;
    initial_is_there_ = initial_is_there == 1;
    columns_.look_at_all<Arch>(rule(this->keys()));
  }

 private:
  static constexpr std::uint64_t format = 0x33736b6e69737461;  // "atsinks3"
  using saved_head = std::array<std::uint64_t, 6>;

  [[nodiscard]] bool tracks_uniform() const noexcept { return detail::measures_uniform(options_.sinks.rule); }

  [[nodiscard]] std::size_t saved_size(std::size_t keys) const noexcept {
    const std::size_t uniform = (keys + detail::column_blocks(keys)) * sizeof(double);
    return sizeof(saved_head) + keys * (sizeof(double) + sizeof(float) + sizeof(std::int32_t)) +
           (tracks_uniform() ? uniform : 0);
  }

  // What is stored, in order.
  template <class State, class Use>
  static void for_each_list(State& state, Use&& use) {
    use(state.sums);
    use(state.recent);
    use(state.rows);
    use(state.uniform);
    use(state.share);
  }

  // What makes a slot a sink once there are `keys` of them. The relative rule's threshold falls with each new
  // key; `least_factor` is below what rounding may make of it.
  [[nodiscard]] detail::column_rule rule(std::size_t keys) const noexcept {
    const sink_options& sinks = options_.sinks;
    const std::size_t before = initial_is_there_ ? initial_ : 0;
    const std::size_t so_far = std::max<std::size_t>(keys, before + 1) - before;
    const auto threshold = [&](std::size_t later) {
      return detail::sink_factor(sinks.rule, sinks.alpha, sinks.tau, static_cast<double>(so_far + later));
    };
    return {.spared = initial_is_there_ ? initial_ : detail::column_rule::nobody,
            .factor = threshold(0),
            .least_factor = threshold(detail::column_interval) * (1 - 0x1p-40),
            .least_rows = static_cast<std::int32_t>(std::min(sinks.min_visible_rows, most_steps))};
  }

  // One step: weight j of the row is row[j] * factor.
  template <class T, class Arch>
  void add(std::span<const T> row, key_range seen, accumulator_t<T> factor) {
    if (row.size() < keys() || seen.end > row.size()) {
      detail::raise(error_code::invalid_shape, "row",
                    "needs an element for each tracked key, and `seen` within them");
    }
    if (row.size() > most_steps || steps_ >= most_steps) {
      detail::raise(error_code::unsupported, "row", "is one of more than 2^31 steps or keys");
    }
    if (seen.empty()) seen = {seen.end, seen.end};  // visibility::row of padding begins behind its end
    columns_.add<Arch>(row.data(), row.size(), seen, factor, rule(row.size()));
    ++steps_;
  }

  static constexpr std::size_t most_steps = std::numeric_limits<std::int32_t>::max();

  calibration_options options_;
  detail::sink_columns columns_;
  std::size_t steps_ = 0;    // no fewer than any slot was seen by
  std::size_t initial_ = 0;  // the slot of the sequence's initial token, while it is in the cache
  bool initial_is_there_ = true;
};

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
