// The shots of a few-shot run: for each asked sample, the samples shown before it. Which positions are shown
// is decided in shots.hpp, how they are laid out in prompts.hpp; this joins both to a file's samples.
#pragma once

#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace act::tasks {

/// Whether other seeds give other shots. mmlu shows the first rows of the subject's development file.
[[nodiscard]] bool shots_are_drawn(const task& of) noexcept;

/// The shots of one run, to be called with the asked sample: `count` of `pool`, drawn by `seed` where the
/// task draws; `balanced` as many of each label (balanced_shots). `same_file` says that asked samples come
/// from the pool's own file, by whose `index` each is kept from being its own shot. `pool` must outlive the
/// result. Throws error (invalid_option) when the pool is too small, and for mmlu, whose shots come from
/// another file, with `same_file`; the result throws (invalid_input) where subject_shots does and when a
/// subject's first rows hold the asked sample.
[[nodiscard]] std::function<std::vector<sample>(const sample&)> few_shots(const task& of,
                                                                          std::span<const sample> pool,
                                                                          std::size_t count,
                                                                          std::uint64_t seed, bool same_file,
                                                                          bool balanced = false);

}  // namespace act::tasks
