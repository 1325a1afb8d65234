// The shots of a few-shot run: for each asked sample, the samples shown before it. Which positions are shown
// is decided in shots.hpp, how they are laid out in prompts.hpp; this joins both to a file's samples.
#pragma once

#include <act/error.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/shots.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace act::tasks {

/// Whether other seeds give other shots. mmlu shows the first rows of the subject's development file.
[[nodiscard]] inline bool shots_are_drawn(const task& of) noexcept {
  return of.format != file_format::mmlu_csv;
}

/// The shots of one run, to be called with the asked sample: `count` of `pool`, drawn by `seed` where the
/// task draws. `same_file` says that asked samples come from the pool's own file, by whose `index` each is
/// kept from being its own shot. `pool` must outlive the result. Throws error (invalid_option) when the pool
/// is too small, and for mmlu, whose shots come from another file, with `same_file`; the result throws
/// (invalid_input) where subject_shots does and when a subject's first rows hold the asked sample.
[[nodiscard]] inline std::function<std::vector<sample>(const sample&)> few_shots(
    const task& of, std::span<const sample> pool, std::size_t count, std::uint64_t seed, bool same_file) {
  const auto at = [pool](std::span<const std::size_t> positions) {
    std::vector<sample> shown;
    for (const std::size_t position : positions)
      shown.push_back(pool[position]);
    return shown;
  };
  if (!shots_are_drawn(of)) {
    if (same_file) {
      throw error(
          error_code::invalid_option, "shots",
          "task '" + of.name +
              "' shows the first rows of the development file, not of the file that is asked; give the "
              "subject's _dev.csv");
    }
    return [=](const sample& asked) {
      std::vector<sample> shown = at(subject_shots(pool, asked, count));
      for (const sample& each : shown) {
        if (each.fields == asked.fields && each.choices == asked.choices) {
          throw error(error_code::invalid_input, "shots",
                      "would show sample " + std::to_string(asked.index) +
                          " its own answer; name a folder that holds _dev.csv files only");
        }
      }
      return shown;
    };
  }
  if (count + (same_file ? 1 : 0) > pool.size()) {
    throw error(error_code::invalid_option, "shots",
                "the file has " + std::to_string(pool.size()) + " samples, too few for " +
                    std::to_string(count) + " shots beside the asked one; ask for fewer");
  }
  return [at, same_file, drawn = drawn_shots(pool.size(), count, seed)](const sample& asked) {
    return at(drawn.for_sample(same_file ? std::optional(asked.index) : std::nullopt));
  };
}

}  // namespace act::tasks
