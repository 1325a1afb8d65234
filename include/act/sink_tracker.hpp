// Sinks while decoding with a key/value cache: the state of one head between steps.
// For engines that generate token by token and have the current row of weights. One tracker for each
// calibrated head.
//
// A step adds the raw row to the running column sums, finds the sinks among the keys so far, and calibrates
// the row: the order matters, and the sums always hold raw weights. Rows of earlier steps are gone, so a
// sequence that is decoded differs from the same one calibrated as a whole prompt: there, later rows decide
// about earlier ones too.
//
// Other columns than sinks, which the options may choose, are scaled in every row alike: the sums are kept
// all the same. A span's positions are slots; those that leave the cache are scaled no more.
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
#include <act/detail/map_checks.hpp>
#include <act/detail/refusal.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/detail/rules/sink_rule.hpp>
#include <act/detail/sink_columns.hpp>
#include <act/element.hpp>
#include <act/error.hpp>
#include <act/options.hpp>
#include <act/simd.hpp>
#include <act/sinks.hpp>
#include <act/status.hpp>

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
  /// Throws act::error: invalid_option; unsupported for the authors' behaviour, which keeps no state, and for
  /// the ablations.
  /// @param options rule and beta, or columns and factor; copied, a span's positions with them
  explicit sink_tracker(const calibration_options& options = {})
      : options_(options), columns_(tracks_uniform()) {
    throw_if(options.validate(), error_code::invalid_option);
    const bool renormalises = options.redistribute == redistribution::renormalised;
    if (options.behave_as != compatibility::none ||
        (options.redistribute != redistribution::proportional && !renormalises)) {
      detail::raise(error_code::unsupported, "options",
                    "decoding knows the paper's rule with proportional or renormalised redistribution");
    }
    detail::raise_if(detail::check_one_strength(options));
    whole_span_.assign(options.span.begin(), options.span.end());
    span_ = whole_span_;
    sinks_end_ = whole_sinks_end();
    options_.span = {};  // nobody's to keep
    scaling_ = detail::scaling_of(options);
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
  void reserve(std::size_t keys) {
    span_.reserve(whole_span_.size());
    columns_.reserve(keys);
  }
  /// @return slots that there is room for: so many keys need no allocation. A copy has less than its original
  [[nodiscard]] std::size_t capacity() const noexcept {
    return span_.capacity() < whole_span_.size() ? 0 : columns_.capacity();
  }

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
    detail::raise_if(check_start(sums, visible, batch, queries));
    reserve(sums.size());
    begin<Arch>(sums, visible.entry(batch));
  }
  /// The same for engines: throws nothing and allocates nothing, within capacity().
  /// @tparam Arch instruction set (simd.hpp)
  /// @param sums,visible,batch,queries as above
  /// @param refused gets the argument that is wrong; or null
  /// @return ok, invalid_shape, workspace_too_small; the tracker stays as it was unless `ok`
  template <class Arch = simd::default_arch>
  status try_start(std::span<const double> sums, const visibility& visible, std::size_t batch,
                   std::size_t queries, problem* refused = nullptr) noexcept {
    const detail::refusal found =
        detail::either(check_start(sums, visible, batch, queries), check_room(sums.size()));
    if (!found) begin<Arch>(sums, visible.entry(batch));
    return detail::answer(found, refused);
  }

  /// One decoding step: adds the raw `row` (one element a slot, the new key's last; it sees `seen`) and finds
  /// the sinks, but leaves the row as it is. Rows may have more keys than before, never fewer.
  /// @tparam T element type of the row
  /// @tparam Arch instruction set (simd.hpp)
  /// @param row raw weights, one a slot
  /// @param seen the slots that the row sees
  template <attention_element T, class Arch = simd::default_arch>
  void append(std::span<const T> row, key_range seen) {
    demand_step(row.size(), seen);
    add<T, Arch>(row, seen, 1);
  }
  /// The same for engines: throws nothing and allocates nothing, within capacity().
  /// @tparam T element type of the row
  /// @tparam Arch instruction set (simd.hpp)
  /// @param row,seen as above
  /// @param refused gets the argument that is wrong; or null
  /// @return ok, invalid_shape, unsupported, workspace_too_small; nothing has changed unless `ok`
  template <attention_element T, class Arch = simd::default_arch>
  status try_append(std::span<const T> row, key_range seen, problem* refused = nullptr) noexcept {
    const detail::refusal found = detail::either(check_step(row.size(), seen), check_room(row.size()));
    if (!found) add<T, Arch>(row, seen, 1);
    return detail::answer(found, refused);
  }

  /// A step that calibrates: append(), then the row's own calibration in place. Returns the mass moved.
  /// @tparam T element type of the row
  /// @tparam Arch instruction set (simd.hpp)
  /// @param row raw weights, one a slot; calibrated in place
  /// @param seen the slots that the row sees
  /// @return what some keys lost to others
  template <attention_element T, class Arch = simd::default_arch>
  double calibrate_row(std::span<T> row, key_range seen) {
    append<T, Arch>(std::span<const T>(row), seen);
    return change_row<T, Arch>(row, seen);
  }
  /// The same for engines: throws nothing and allocates nothing, within capacity().
  /// @tparam T element type of the row
  /// @tparam Arch instruction set (simd.hpp)
  /// @param row,seen as above
  /// @param moved gets what some keys lost to others; or null
  /// @param refused gets the argument that is wrong; or null
  /// @return ok, invalid_shape, unsupported, workspace_too_small; nothing has changed unless `ok`
  template <attention_element T, class Arch = simd::default_arch>
  status try_calibrate_row(std::span<T> row, key_range seen, double* moved = nullptr,
                           problem* refused = nullptr) noexcept {
    const status done = try_append<T, Arch>(std::span<const T>(row), seen, refused);
    if (done != status::ok) return done;
    const double mass = change_row<T, Arch>(row, seen);
    if (moved != nullptr) *moved = mass;
    return done;
  }
  /// With all slots visible.
  /// @param row as above
  /// @return what sinks lost to other keys
  template <attention_element T, class Arch = simd::default_arch>
  double calibrate_row(std::span<T> row) {
    return calibrate_row<T, Arch>(row, {initial_is_there_ ? initial_ : 0, row.size()});
  }

  /// A step of an attention kernel, whose softmax isn't divided by its sum yet: weight j is row[j] *
  /// `inverse`, and `sum` is that of the row. Returns what the kernel multiplies the row's product with V by
  /// instead of `inverse`; only elements of sinks, or the columns in their place, are written to. As
  /// calibrate_row, to rounding, without a pass over the row for its sum and one for its other keys.
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
    demand_step(row.size(), seen);
    return change_unnormalised<T, Arch>(row, seen, inverse, sum);
  }
  /// The same for engines: throws nothing and allocates nothing, within capacity().
  /// @tparam T float or double
  /// @tparam Arch instruction set (simd.hpp)
  /// @param row,seen,inverse,sum as above
  /// @param factor gets the factor of the row's product with V
  /// @param refused gets the argument that is wrong; or null
  /// @return ok, invalid_shape, unsupported, workspace_too_small; nothing has changed unless `ok`
  template <attention_element T, class Arch = simd::default_arch>
  requires std::is_same_v<T, accumulator_t<T>> status try_calibrate_unnormalised(std::span<T> row,
                                                                                 key_range seen, T inverse,
                                                                                 double sum, T& factor,
                                                                                 problem* refused = nullptr)
  noexcept {
    const detail::refusal found = detail::either(check_step(row.size(), seen), check_room(row.size()));
    if (!found) factor = change_unnormalised<T, Arch>(row, seen, inverse, sum);
    return detail::answer(found, refused);
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
    std::erase_if(span_, [&](std::size_t slot) { return range.contains(slot); });
    for (std::size_t& slot : span_)
      slot -= slot >= range.end ? range.size() : 0;
    if (sinks_end_ != detail::column_rule::nobody)
      sinks_end_ -= std::min(range.end, sinks_end_) - std::min(range.begin, sinks_end_);
    columns_.look_at_all<Arch>(rule(keys()));
  }

  /// @return the state as bytes of this machine's byte order; options are not in it
  [[nodiscard]] std::vector<std::byte> save() const {
    const detail::column_state state = columns_.state();
    const saved_head head{
        format, keys(), initial_, initial_is_there_ ? 1U : 0U, tracks_uniform() ? 1U : 0U, state.step};
    std::vector<std::byte> bytes(saved_size(keys()) + saved_end_size() + saved_span_size(span_.size()));
    std::byte* to = bytes.data();
    const auto put = [&](const auto& list) {
      const std::size_t size = list.size() * sizeof(list[0]);
      if (size != 0) std::memcpy(to, list.data(), size);
      to += size;
    };
    put(head);
    for_each_list(state, put);
    if (saved_end_size() != 0) put(std::array<std::uint64_t, 1>{sinks_end_});
    if (options_.columns == column_choice::span) {
      put(std::array<std::uint64_t, 1>{span_.size()});
      put(std::vector<std::uint64_t>(span_.begin(), span_.end()));
    }
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
    demand(keys <= bytes.size() && bytes.size() >= saved_size(keys) + saved_end_size());
    std::uint64_t sinks_end = detail::column_rule::nobody;
    if (saved_end_size() != 0) std::memcpy(&sinks_end, bytes.data() + saved_size(keys), sizeof sinks_end);
    demand(sinks_end <= whole_sinks_end());
    std::vector<std::size_t> span = load_span(bytes.subspan(saved_size(keys) + saved_end_size()), demand);
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
    span_ = std::move(span);
    sinks_end_ = sinks_end;
    steps_ = static_cast<std::size_t>(most);
    initial_ = initial;
    initial_is_there_ = initial_is_there == 1;
    columns_.look_at_all<Arch>(rule(this->keys()));
  }

 private:
  [[nodiscard]] static detail::refusal check_start(std::span<const double> sums, const visibility& visible,
                                                   std::size_t batch, std::size_t queries) noexcept {
    for (const std::span<const std::size_t> list :
         {visible.first_key, visible.query_offsets, visible.query_counts}) {
      if (!list.empty() && batch >= list.size())
        return detail::bad_shape("batch", "is past the batch entries of `visible`");
    }
    if (!visible.causal())
      return detail::not_done("visible", "must be causal: a tracker takes rows in as they come");
    const std::size_t offset = visible.offset(batch);
    if (offset > sums.size() || sums.size() - offset != visible.rows(batch, queries) ||
        sums.size() > most_steps) {
      return detail::bad_shape("sums",
                               "need one element for each key up to the last row's own, fewer than 2^31");
    }
    return {};
  }
  [[nodiscard]] detail::refusal check_room(std::size_t keys) const noexcept {
    if (keys <= capacity()) return {};
    return {status::workspace_too_small,
            {"row", "has more keys than the tracker has room for: reserve() it beforehand"}};
  }
  [[nodiscard]] detail::refusal check_step(std::size_t size, key_range seen) const noexcept {
    if (size < keys() || seen.end > size) {
      return detail::bad_shape("row", "needs an element for each tracked key, and `seen` within them");
    }
    if (size > most_steps || steps_ >= most_steps)
      return detail::not_done("row", "is one of more than 2^31 steps or keys");
    return {};
  }
  void demand_step(std::size_t size, key_range seen) {
    detail::raise_if(check_step(size, seen));
    columns_.reserve(size);
  }

  // After a prompt of one batch entry. Within capacity().
  template <class Arch>
  void begin(std::span<const double> sums, const visibility& seen) noexcept {
    const std::size_t first = seen.query_offset, initial = seen.initial_key(0);
    detail::uniform_baseline baseline(seen, 0, first, sums.size());
    columns_.begin(sums.size(), [&](std::size_t j) noexcept {
      detail::sink_columns::begun known{.sum = sums[j]};
      if (j < initial) return known;
      const std::size_t rows = seen.rows_seeing(0, j, first, sums.size());
      known.rows = static_cast<std::int32_t>(rows);
      if (tracks_uniform()) known.uniform = baseline.at(j) * static_cast<double>(rows);
      return known;
    });
    span_.assign(whole_span_.begin(), whole_span_.end());
    sinks_end_ = whole_sinks_end();
    steps_ = sums.size() - first;
    initial_ = initial;
    initial_is_there_ = true;
    columns_.look_at_all<Arch>(rule(keys()));
  }

  template <class T, class Arch>
  double change_row(std::span<T> row, key_range seen) noexcept {
    if (scaling_.is_nothing() || seen.empty()) return 0;
    return detail::redistribute_proportionally<T, Arch>(row.data(), seen, changed_within(seen), scaling_);
  }

  template <class T, class Arch>
  T change_unnormalised(std::span<T> row, key_range seen, T inverse, double sum) noexcept {
    add<T, Arch>(std::span<const T>(row), seen, inverse);
    if (scaling_.is_nothing() || seen.empty()) return inverse;
    const std::span<const std::size_t> here = changed_within(seen);
    const detail::row_change change =
        detail::weigh_proportionally<T, Arch>(row.data(), seen, here, scaling_, [&] { return sum; });
    if (!change.changes) return inverse;
    const T elsewhere = static_cast<T>(change.elsewhere);
    const T at_sinks = static_cast<T>(change.columns) / elsewhere;
    for (const std::size_t s : here)
      row[s] *= at_sinks;
    return inverse * elsewhere;
  }

  static constexpr std::uint64_t format = 0x33736b6e69737461;  // "atsinks3"
  using saved_head = std::array<std::uint64_t, 6>;

  [[nodiscard]] bool tracks_uniform() const noexcept { return detail::measures_uniform(options_.sinks.rule); }

  [[nodiscard]] std::size_t saved_size(std::size_t keys) const noexcept {
    const std::size_t uniform = (keys + detail::column_blocks(keys)) * sizeof(double);
    return sizeof(saved_head) + keys * (sizeof(double) + sizeof(float) + sizeof(std::int32_t)) +
           (tracks_uniform() ? uniform : 0);
  }

  // Where a limit of positions has moved to follows.
  [[nodiscard]] std::size_t saved_end_size() const noexcept {
    return options_.sinks.position_limit != 0 ? sizeof(std::uint64_t) : 0;
  }
  [[nodiscard]] std::size_t whole_sinks_end() const noexcept {
    return detail::sinks_end(options_.sinks, detail::column_rule::nobody);
  }

  // A span's positions follow: how many, then each.
  [[nodiscard]] std::size_t saved_span_size(std::size_t positions) const noexcept {
    return options_.columns == column_choice::span ? (positions + 1) * sizeof(std::uint64_t) : 0;
  }
  template <class Demand>
  [[nodiscard]] std::vector<std::size_t> load_span(std::span<const std::byte> bytes, Demand&& demand) const {
    if (options_.columns != column_choice::span) {
      demand(bytes.empty());
      return {};
    }
    demand(bytes.size() % sizeof(std::uint64_t) == 0 && !bytes.empty());
    std::vector<std::uint64_t> numbers(bytes.size() / sizeof(std::uint64_t));
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
    demand(numbers[0] == numbers.size() - 1);
    for (std::size_t k = 1; k < numbers.size(); ++k)
      demand(numbers[k] < std::uint64_t{1} << 48 && (k == 1 || numbers[k] > numbers[k - 1]));
    return {numbers.begin() + 1, numbers.end()};
  }

  // The columns that a row's calibration changes.
  [[nodiscard]] std::span<const std::size_t> changed_within(key_range seen) const noexcept {
    std::span<const std::size_t> all;
    if (options_.columns == column_choice::sinks) all = sinks();
    if (options_.columns == column_choice::span) all = span_;
    if (options_.columns == column_choice::initial_token && initial_is_there_) all = {&initial_, 1};
    return detail::sinks_within(all, seen);
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
            .end = sinks_end_,
            .factor = threshold(0),
            .least_factor = threshold(detail::column_interval) * (1 - 0x1p-40),
            .least_rows = static_cast<std::int32_t>(std::min(sinks.min_visible_rows, most_steps))};
  }

  // One step, checked and within capacity(): weight j of the row is row[j] * factor.
  template <class T, class Arch>
  void add(std::span<const T> row, key_range seen, accumulator_t<T> factor) noexcept {
    if (seen.empty()) seen = {seen.end, seen.end};  // visibility::row of padding begins behind its end
    columns_.add<Arch>(row.data(), row.size(), seen, factor, rule(row.size()));
    ++steps_;
  }

  static constexpr std::size_t most_steps = std::numeric_limits<std::int32_t>::max();

  calibration_options options_;
  detail::column_scaling scaling_;
  detail::sink_columns columns_;
  std::vector<std::size_t> whole_span_, span_;  // as the options have it, and those left in the cache
  std::size_t steps_ = 0;                       // no fewer than any slot was seen by
  std::size_t initial_ = 0;  // the slot of the sequence's initial token, while it is in the cache
  bool initial_is_there_ = true;
  std::size_t sinks_end_ = detail::column_rule::nobody;  // slots from here on are never sinks
};

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
