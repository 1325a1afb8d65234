// The door: calibrates the chosen heads of a materialised attention map, in place.
// For engine authors who have the softmaxed map of a layer between the softmax and the product with V. Not
// for kernels that never build the map.
//
//   #include <act/calibrate.hpp>
//   auto map = act::attention_span<float>::packed(weights, 1, heads, tokens, tokens);
//   act::calibrate(map, {0, 3, 7});                        // heads 0, 3 and 7 of this layer, the paper's
//   options
//
// What it costs: one read of the visible part of each chosen head, and one read-and-write of its rows from
// the first sink on, a few rows at a time. Memory: 24 bytes for each key of each chosen head, taken once a
// call, or never with a workspace; nothing is allocated for rows. Heads run in parallel (parallel.hpp);
// results don't depend on the number of threads. Accumulation: double, from short sums on (column sums:
// kernels/row_simd.hpp; rows: kernels/row_panel.hpp).
//
// What it keeps: each row's mass, whatever it was (models with learned sinks have less than 1); masked
// entries, which are never used and never written; rows before the first sink; every row without mass on
// sinks, or with mass on sinks only, or holding a NaN or an infinity. Heads never mix: a NaN in one stays
// there.
#pragma once

#include <act/attention_view.hpp>
#include <act/calibrate_row.hpp>
#include <act/column_scores.hpp>
#include <act/detail/authors_row.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/detail/proportional_panel.hpp>
#include <act/element.hpp>
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/options.hpp>
#include <act/parallel.hpp>
#include <act/sinks.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace act::inline ACT_ABI {

/// What happened to one head.
struct head_report {
  std::size_t batch = 0;
  std::size_t head = 0;
  std::vector<sink> sinks;  ///< ascending by position; empty when the head was left alone
  double moved_mass =
      0;  ///< sum over rows of what some keys lost to others; (1 - beta) * mass on sinks as a rule
};

/// What a call did: one entry for each chosen head, by batch entry, then head.
struct calibration_report {
  std::vector<head_report> heads;
};

/// Scratch memory that calls can share, one after another: it grows to the largest map seen and stays.
class calibration_workspace {
 public:
  /// Grows to what a map of `keys` keys with `heads` chosen heads (over all batch entries) needs.
  void reserve(std::size_t heads, std::size_t keys) {
    if (sums_.size() < heads * keys) sums_.resize(heads * keys);
    if (positions_.size() < heads * keys) positions_.resize(heads * keys);
    if (outcomes_.size() < heads) outcomes_.resize(heads);
  }
  /// And for marks(), which only maps need.
  void reserve_marks(std::size_t heads, std::size_t keys) {
    if (marks_.size() < heads * keys * sizeof(double)) marks_.resize(heads * keys * sizeof(double));
  }

  /// What is used for one head while it is calibrated.
  struct outcome {
    std::size_t sinks = 0;
    double moved_mass = 0;
  };
  [[nodiscard]] std::span<double> sums(std::size_t job, std::size_t keys) noexcept {
    return {sums_.data() + job * keys, keys};
  }
  [[nodiscard]] std::span<std::size_t> positions(std::size_t job, std::size_t keys) noexcept {
    return {positions_.data() + job * keys, keys};
  }
  /// Scratch for `keys` numbers, floats or doubles.
  template <class A>
  [[nodiscard]] A* marks(std::size_t job, std::size_t keys) noexcept {
    return reinterpret_cast<A*>(marks_.data() + job * keys * sizeof(double));
  }
  [[nodiscard]] outcome& result(std::size_t job) noexcept { return outcomes_[job]; }

 private:
  std::vector<double> sums_;
  std::vector<std::size_t> positions_;
  std::vector<std::byte> marks_;
  std::vector<outcome> outcomes_;
};

/// A calibrated copy, packed.
template <class T>
struct calibrated_map {
  std::vector<T> data;        ///< batches x heads x queries x keys
  calibration_report report;  ///< what was done
};

}  // namespace act::inline ACT_ABI

namespace act::inline ACT_ABI::inline ACT_BUILD {

namespace detail {

// Waking threads takes some microseconds: a call on fewer elements than this stays on its own thread.
inline constexpr std::size_t worth_threads = std::size_t{1} << 16;

inline void check_heads(const layer_heads& heads, std::size_t available) {
  if (heads.is_all() || heads.empty()) return;
  if (heads.at(heads.count(available) - 1) >= available) {
    detail::raise(error_code::invalid_option, "heads", "name a head that the map doesn't have");
  }
}

/// The authors' code knows one prompt at a time: all of it, or one row of decoding.
template <class T>
void check_authors_shape(const attention_span<T>& map) {
  const bool whole = map.queries == map.keys && map.visible.query_offset == 0;
  const bool decoding = map.queries == 1 && map.visible.query_offset + 1 == map.keys;
  bool padded = false;
  for (const std::size_t key : map.visible.first_key)
    padded = padded || key != 0;
  if ((!whole && !decoding) || padded || map.visible.window != 0) {
    detail::raise(error_code::unsupported, "behave_as",
                  "compatibility::authors knows whole prompts and single decoding rows only: no chunks, "
                  "padding, window");
  }
}

/// Calibrates the rows of one head, its sinks known. `marks` is scratch for map.keys numbers.
/// Returns the mass moved.
template <class T, class Arch>
double calibrate_rows(const attention_span<T>& map, std::size_t batch, std::size_t head,
                      std::span<const std::size_t> sinks, const calibration_options& options,
                      accumulator_t<T>* marks) noexcept {
  double moved = 0;
  if (options.behave_as == compatibility::authors) {
    for (std::size_t i = 0; i < map.queries; ++i) {
      const key_range seen = map.visible.row(batch, i);
      moved += redistribute_like_authors(map.row(batch, head, i), map.keys, seen, sinks_within(sinks, seen),
                                         options.beta, i == 0);
    }
    *map.row(batch, head, 0) = element_traits<T>::store(1);
    return moved;
  }
  // Temperature needs no sinks and starts at the first row.
  const bool tempered = options.redistribute == redistribution::temperature;
  if (!tempered && (sinks.empty() || options.beta == 1)) return 0;
  const std::size_t offset = map.visible.query_offset;
  const std::size_t first = tempered || sinks[0] <= offset ? 0 : sinks[0] - offset;
  if (options.redistribute == redistribution::proportional)
    return redistribute_rows<T, Arch>(map, batch, head, first, sinks, options.beta, marks);
  const std::size_t initial = map.visible.initial_key(batch);
  sinks_of_rows sinks_seen(sinks);
  for (std::size_t i = first; i < map.queries; ++i) {
    const key_range seen = map.visible.row(batch, i);
    moved += redistribute<T, Arch>(map.row(batch, head, i), seen, sinks_seen.within(seen), initial, options);
  }
  return moved;
}

}  // namespace detail

/// calibrate() with memory of the caller's: allocates only where `workspace` or `report` are too small for
/// the call.
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
void calibrate(attention_span<T> map, const layer_heads& heads, const calibration_options& options,
               calibration_workspace& workspace, calibration_report& report) {
  throw_if(map.validate(), error_code::invalid_shape);
  throw_if(options.validate(), error_code::invalid_option);
  detail::check_heads(heads, map.heads);
  detail::check_subset(options, map.keys);
  if (options.behave_as == compatibility::authors && !map.empty()) detail::check_authors_shape(map);

  const std::size_t chosen = heads.count(map.heads);
  const std::size_t jobs = map.empty() ? 0 : map.batches * chosen;
  workspace.reserve(jobs, map.keys);
  workspace.reserve_marks(jobs, map.keys);
  const std::size_t first_row = map.visible.query_offset;
  const std::size_t last_row = first_row + map.queries;

  const auto calibrate_head = [&](std::size_t job) noexcept {
    const std::size_t batch = job / chosen;
    const std::size_t head = heads.at(job % chosen);
    const std::span<double> scores = workspace.sums(job, map.keys);
    const std::span<std::size_t> positions = workspace.positions(job, map.keys);
    std::fill(scores.begin(), scores.end(), 0.0);
    detail::sum_columns<T, Arch>(map, batch, head, scores.data());
    detail::divide_by_rows(map.visible, batch, first_row, last_row, scores);
    std::size_t count = 0;
    detail::for_each_sink(scores, map.visible, batch, first_row, last_row, options.sinks, options.behave_as,
                          [&](std::size_t position, double) noexcept { positions[count++] = position; });
    const double moved = detail::calibrate_rows<T, Arch>(map, batch, head, positions.first(count), options,
                                                         workspace.marks<accumulator_t<T>>(job, map.keys));
    workspace.result(job) = {count, moved};
  };
  if (jobs * map.queries * map.keys < detail::worth_threads) {
    for (std::size_t job = 0; job < jobs; ++job)
      calibrate_head(job);
  } else {
    parallel_for(jobs, calibrate_head);
  }

  report.heads.resize(jobs);
  for (std::size_t job = 0; job < jobs; ++job) {
    const std::span<const double> scores = workspace.sums(job, map.keys);
    const std::span<const std::size_t> positions = workspace.positions(job, map.keys);
    head_report& entry = report.heads[job];
    entry.batch = job / chosen;
    entry.head = heads.at(job % chosen);
    entry.moved_mass = workspace.result(job).moved_mass;
    entry.sinks.resize(workspace.result(job).sinks);
    for (std::size_t k = 0; k < entry.sinks.size(); ++k)
      entry.sinks[k] = {positions[k], scores[positions[k]]};
  }
}

/// Calibrates the chosen heads of `map` in place, for every batch entry, and says what it did.
/// `map` holds softmaxed weights [batch, head, query, key], with its visibility; masked entries are not
/// touched. Throws act::error before the first write: invalid_shape (map), invalid_option (options, heads),
/// unsupported (compatibility::authors on a chunk or with padding). Section 3 of the paper; cost at the top
/// of this header.
template <class T, class Arch = simd::default_arch>
requires attention_element<T> calibration_report calibrate(attention_span<T> map, const layer_heads& heads,
                                                           const calibration_options& options = {}) {
  calibration_workspace workspace;
  calibration_report report;
  calibrate<T, Arch>(map, heads, options, workspace, report);
  return report;
}

/// Calibrates one head of one batch entry, its sinks known: ascending key positions, the initial token not
/// among them. Returns the mass moved. options.sinks isn't used. Throws act::error before the first write.
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
double calibrate_with_sinks(attention_span<T> map, std::size_t batch, std::size_t head,
                            std::span<const std::size_t> sinks, const calibration_options& options = {}) {
  throw_if(map.validate(), error_code::invalid_shape);
  throw_if(options.validate(), error_code::invalid_option);
  if (batch >= map.batches)
    detail::raise(error_code::invalid_shape, "batch", "is past the map's batch entries");
  if (head >= map.heads) detail::raise(error_code::invalid_shape, "head", "is past the map's heads");
  if (map.empty()) return 0;
  detail::check_sinks(sinks, map.keys);
  detail::check_subset(options, map.keys);
  if (options.behave_as == compatibility::authors) detail::check_authors_shape(map);
  std::vector<accumulator_t<T>> marks(map.keys);
  return detail::calibrate_rows<T, Arch>(map, batch, head, sinks, options, marks.data());
}

/// As calibrate(), but leaves `map` alone and returns a packed copy, the heads that weren't chosen included.
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
[[nodiscard]] calibrated_map<std::remove_const_t<T>> calibrated(const attention_span<T>& map,
                                                                const layer_heads& heads,
                                                                const calibration_options& options = {}) {
  using value = std::remove_const_t<T>;
  throw_if(map.validate(), error_code::invalid_shape);
  calibrated_map<value> result;
  result.data.resize(map.batches * map.heads * map.queries * map.keys);
  const auto copy = attention_span<value>::packed(result.data.data(), map.batches, map.heads, map.queries,
                                                  map.keys, map.visible);
  if (!map.empty()) {
    for (std::size_t b = 0; b < map.batches; ++b) {
      for (std::size_t h = 0; h < map.heads; ++h) {
        for (std::size_t i = 0; i < map.queries; ++i)
          std::copy_n(map.row(b, h, i), map.keys, copy.row(b, h, i));
      }
    }
  }
  result.report = calibrate<value, Arch>(copy, heads, options);
  return result;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
