#include <act/error.hpp>
#include <act/tasks/few_shot.hpp>
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

bool shots_are_drawn(const task& of) noexcept {
  return of.format != file_format::mmlu_csv;
}

std::function<std::vector<sample>(const sample&)> few_shots(const task& of, std::span<const sample> pool,
                                                            std::size_t count, std::uint64_t seed,
                                                            bool same_file) {
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
