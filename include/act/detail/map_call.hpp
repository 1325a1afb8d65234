// A call of calibrate(), past its arguments: what it refuses, what memory it takes, and its work. The forms
// that throw and those that answer a status are both made of it.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/attention_checks.hpp>
#include <act/detail/build.hpp>
#include <act/detail/calibrate_head.hpp>
#include <act/detail/chosen_memory.hpp>
#include <act/detail/map_checks.hpp>
#include <act/detail/memory_parts.hpp>
#include <act/detail/overlap.hpp>
#include <act/detail/refusal.hpp>
#include <act/detail/run_workers.hpp>
#include <act/element.hpp>
#include <act/executor.hpp>
#include <act/head_set.hpp>
#include <act/options.hpp>

#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Waking threads takes some microseconds: a call on fewer elements than this stays on its own thread.
inline constexpr std::size_t worth_threads = std::size_t{1} << 16;

template <class T, class Arch>
class map_call {
 public:
  map_call(const attention_span<T>& map, const layer_heads& heads, const calibration_options& options,
           std::span<double> carried_sums) noexcept
      : map_(map), heads_(heads), options_(options), carried_(carried_sums) {}

  [[nodiscard]] refusal check() const noexcept {
    if (const refusal found = either(bad_shape(map_.validate()), bad_option(options_.validate())))
      return found;
    if (const refusal found = check_heads(heads_, map_.heads)) return found;
    if (const refusal found =
            either(check_columns(options_, map_.keys), check_strengths(options_, map_.heads)))
      return found;
    if (const refusal found = check_carried(carried_, map_.batches, map_.heads, map_.keys)) return found;
    if (map_.empty()) return {};
    if (options_.behave_as == compatibility::authors) {
      if (!carried_.empty())
        return not_done("carried_sums", "need the paper's behaviour: the authors' code knows no chunks");
      return check_authors_shape(map_);
    }
    return check_apart(memory_of(carried_), "carried_sums", memory_of(map_), ACT_DETAIL_OVERLAPS("map"));
  }

  [[nodiscard]] std::size_t chosen() const noexcept { return heads_.count(map_.heads); }
  [[nodiscard]] std::size_t batches() const noexcept { return map_.empty() ? 0 : map_.batches; }
  [[nodiscard]] std::size_t bytes() const noexcept {
    memory_parts parts;
    chosen_memory(parts, batches() * chosen(), map_.keys, true);
    return parts.used();
  }

  /// Works in bytes() of memory. What it leaves there can be reported.
  chosen_memory run(std::byte* memory, const executor& on) const noexcept {
    memory_parts parts(memory);
    const std::size_t jobs = batches() * chosen();
    const chosen_memory of(parts, jobs, map_.keys, true);
    const std::size_t workers = workers_for(on, jobs, jobs * map_.queries * map_.keys < worth_threads);
    struct nothing {};
    for_each_job<nothing>(on, workers, jobs, [&](std::size_t, nothing&, std::size_t job) noexcept {
      const std::size_t batch = job / chosen(), head = heads_.at(job % chosen());
      double* const carried =
          carried_.empty() ? nullptr : carried_.data() + (batch * map_.heads + head) * map_.keys;
      of.result(job) =
          calibrate_head<T, Arch>(map_.entry(batch), 0, head, options_.of_head(head), of.sums(job),
                                  of.positions(job), of.template marks<accumulator_t<T>>(job), carried);
    });
    return of;
  }

 private:
  const attention_span<T>& map_;
  const layer_heads& heads_;
  const calibration_options& options_;
  std::span<double> carried_;
};

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
