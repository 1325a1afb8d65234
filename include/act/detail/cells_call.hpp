// A call of calibrate_cells(), past its arguments: what it refuses, what memory it takes, and its work, a
// head of a sequence at a time. A sequence whose cells and rows lie side by side is calibrated where it is;
// of others the weights are gathered, and put back.
#pragma once

#include <act/attention_view.hpp>
#include <act/cell_sequence.hpp>
#include <act/detail/attention_checks.hpp>
#include <act/detail/build.hpp>
#include <act/detail/calibrate_head.hpp>
#include <act/detail/chosen_memory.hpp>
#include <act/detail/map_call.hpp>
#include <act/detail/map_checks.hpp>
#include <act/detail/memory_parts.hpp>
#include <act/detail/overlap.hpp>
#include <act/detail/refusal.hpp>
#include <act/detail/run_workers.hpp>
#include <act/element.hpp>
#include <act/executor.hpp>
#include <act/head_set.hpp>
#include <act/options.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

template <class T, class Arch>
class cells_call {
 public:
  cells_call(const attention_span<T>& map, std::span<const cell_sequence> sequences, const layer_heads& heads,
             const calibration_options& options, std::size_t window, const executor& on) noexcept
      : map_(map), sequences_(sequences), heads_(heads), options_(options), window_(window), on_(on) {
    for (const cell_sequence& each : sequences_) {
      keys_ = std::max(keys_, each.cells.size());
      if (each.rows.empty()) continue;
      elements_ += each.rows.size() * each.cells.size();
      if (!lies_side_by_side(each)) gathered_ = std::max(gathered_, each.rows.size() * each.cells.size());
    }
  }

  [[nodiscard]] refusal check() const noexcept {
    if (const refusal found = either(bad_shape(map_.validate()), bad_option(options_.validate())))
      return found;
    if (const refusal found = either(check_heads(heads_, map_.heads), check_strengths(options_, map_.heads)))
      return found;
    if (map_.batches > 1) return bad_shape("map", "needs one batch entry: sequences take their place");
    const visibility& seen = map_.visible;
    if (seen.query_offset != 0 || seen.window != 0 || !seen.first_key.empty() || seen.ragged() ||
        !seen.causal())
      return bad_shape("map",
                       "has a visibility, but sequences and window say what rows see; leave it as it is");
    if (options_.behave_as == compatibility::authors)
      return not_done("behave_as",
                      "compatibility::authors knows whole prompts and single decoding rows only");
    for (const cell_sequence& each : sequences_) {
      if (const refusal found = check_sequence(each)) return found;
    }
    return {};
  }

  [[nodiscard]] std::size_t keys() const noexcept { return keys_; }
  [[nodiscard]] std::size_t chosen() const noexcept { return heads_.count(map_.heads); }
  [[nodiscard]] std::size_t sequences() const noexcept { return map_.empty() ? 0 : sequences_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept {
    memory_parts parts;
    cells_memory(parts, *this);
    return parts.used();
  }

  /// Works in bytes() of memory. What it leaves there can be reported.
  chosen_memory run(std::byte* bytes) const noexcept {
    memory_parts parts(bytes);
    const cells_memory memory(parts, *this);
    struct nothing {};
    for_each_job<nothing>(on_, workers(), jobs(),
                          [&](std::size_t worker, nothing&, std::size_t job) noexcept {
                            calibrate(job, memory.heads, memory.gathered + worker * gathered_);
                          });
    return memory.heads;
  }

 private:
  struct cells_memory {
    cells_memory(memory_parts& parts, const cells_call& call) noexcept
        : heads(parts, call.jobs(), call.keys_, true),
          gathered(parts.take<T>(call.workers() * call.gathered_)) {}
    chosen_memory heads;
    T* gathered;  // of each worker
  };

  [[nodiscard]] std::size_t jobs() const noexcept { return sequences() * chosen(); }
  [[nodiscard]] std::size_t workers() const noexcept {
    return workers_for(on_, jobs(), elements_ * chosen() < worth_threads);
  }

  // Whether cells, and rows, follow one another at one distance.
  [[nodiscard]] static bool lies_side_by_side(const cell_sequence& of) noexcept {
    for (std::size_t k = 1; k < of.cells.size(); ++k)
      if (of.cells[k] != of.cells[k - 1] + 1) return false;
    for (std::size_t i = 2; i < of.rows.size(); ++i)
      if (of.rows[i] - of.rows[i - 1] != of.rows[1] - of.rows[0]) return false;
    return true;
  }

  [[nodiscard]] refusal check_sequence(const cell_sequence& of) const noexcept {
    if (of.rows.size() > of.cells.size())
      return bad_shape("sequences", "have more rows than cells: each row's own token is in a cell");
    if (of.cells.size() > map_.keys) return bad_shape("sequences", "name more cells than the map has keys");
    for (const std::size_t cell : of.cells) {
      if (cell >= map_.keys) return bad_shape("sequences", "name a cell past the map's keys");
    }
    for (std::size_t i = 0; i < of.rows.size(); ++i) {
      if (of.rows[i] >= map_.queries) return bad_shape("sequences", "name a row past the map's rows");
      if (i > 0 && of.rows[i] <= of.rows[i - 1])
        return bad_shape("sequences", "need rows that ascend strictly");
      for (const cell_sequence* other = &of + 1; other != sequences_.data() + sequences_.size(); ++other) {
        if (std::binary_search(other->rows.begin(), other->rows.end(), of.rows[i]))
          return bad_shape("sequences", "share a row: it can be calibrated as one sequence's only");
      }
    }
    for (const cell_sequence* other = &of + 1; other != sequences_.data() + sequences_.size(); ++other) {
      if (may_overlap(memory_of(of.carried_sums), memory_of(other->carried_sums)))
        return bad_shape("carried_sums", "overlap another sequence's: give each memory of its own");
    }
    if (of.rows.empty()) return {};
    if (const refusal found = check_columns(options_, of.cells.size())) return found;
    if (!of.carried_sums.empty() && of.carried_sums.size() != map_.heads * of.cells.size())
      return bad_option("carried_sums", "need heads * cells of them for each sequence, or none");
    return check_apart(memory_of(of.carried_sums), "carried_sums", memory_of(map_),
                       ACT_DETAIL_OVERLAPS("map"));
  }

  void calibrate(std::size_t job, const chosen_memory& memory, T* gathered) const noexcept {
    const cell_sequence& of = sequences_[job / chosen()];
    const std::size_t head = heads_.at(job % chosen()), rows = of.rows.size(), keys = of.cells.size();
    std::fill_n(memory.sums(job).data(), keys_, 0.0);
    memory.result(job) = {};
    if (rows == 0) return;
    attention_span<T> own{.data = map_.row(0, head, of.rows[0]) + of.cells[0],
                          .batches = 1,
                          .heads = 1,
                          .queries = rows,
                          .keys = keys,
                          .query_stride = map_.query_stride,
                          .visible = {.query_offset = keys - rows, .window = window_}};
    const bool in_place = lies_side_by_side(of);
    if (in_place && rows > 1) own.query_stride *= of.rows[1] - of.rows[0];
    if (!in_place) {
      own.data = gathered;
      own.query_stride = keys;
      for_each_weight(of, own, head, [](T& here, T& there) { here = there; });
    }
    double* const carried = of.carried_sums.empty() ? nullptr : of.carried_sums.data() + head * keys;
    memory.result(job) = calibrate_head<T, Arch>(
        own, 0, 0, options_.of_head(head), memory.sums(job).first(keys), memory.positions(job).first(keys),
        memory.template marks<accumulator_t<T>>(job), carried);
    if (!in_place) for_each_weight(of, own, head, [](T& here, T& there) { there = here; });
  }

  // use(gathered weight, the map's) for each that a row sees.
  template <class Use>
  void for_each_weight(const cell_sequence& of, const attention_span<T>& own, std::size_t head,
                       Use&& use) const noexcept {
    for (std::size_t i = 0; i < of.rows.size(); ++i) {
      const key_range seen = own.visible.row(0, i);
      T* const here = own.row(0, 0, i);
      T* const there = map_.row(0, head, of.rows[i]);
      for (std::size_t j = seen.begin; j < seen.end; ++j)
        use(here[j], there[of.cells[j]]);
    }
  }

  const attention_span<T>& map_;
  std::span<const cell_sequence> sequences_;
  const layer_heads& heads_;
  const calibration_options& options_;
  std::size_t window_;
  const executor on_;
  std::size_t keys_ = 0, elements_ = 0, gathered_ = 0;
};

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
