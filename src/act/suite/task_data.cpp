#include <act/error.hpp>
#include <act/suite/task_data.hpp>
#include <act/tasks/few_shot.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/selection.hpp>

#include <algorithm>

namespace act::suite {

std::vector<tasks::sample> task_data::labelled_samples() const {
  const std::vector<tasks::sample>& from = one_file() ? all : labelled_all;
  std::vector<tasks::sample> chosen;
  for (const std::size_t index : labelled)
    chosen.push_back(from[index]);
  return chosen;
}

task_data read_task_data(const suite_task& task, std::uint64_t seed) {
  task_data data;
  data.all = tasks::read_samples(task.task, task.data);
  data.sha256 = tasks::data_sha256(task.task, task.data);
  if (task.labelled > 0) {
    data.labelled_sha256 = tasks::data_sha256(task.task, task.file_of_labelled());
    if (!data.one_file()) data.labelled_all = tasks::read_samples(task.task, task.labelled_data);
    const std::size_t there = data.one_file() ? data.all.size() : data.labelled_all.size();
    if (static_cast<std::uint64_t>(task.labelled) > there) {
      throw error(error_code::invalid_input, task.file_of_labelled(),
                  "has " + std::to_string(there) + " samples, and task '" + task.name + "' asks for " +
                      std::to_string(task.labelled) + " labelled ones");
    }
    data.labelled = tasks::select_limited(there, task.labelled, seed);
  }
  const bool shots = std::any_of(task.shots.begin(), task.shots.end(), [](std::size_t n) { return n > 0; });
  if (shots && !task.generates()) {
    data.shot_pool = tasks::read_samples(task.task, task.shot_data);
    data.shots_sha256 = tasks::data_sha256(task.task, task.shot_data);
  }
  return data;
}

std::vector<tasks::sample> scored_samples(const suite_task& task, const task_data& data,
                                          const std::set<std::size_t>& seen, std::uint64_t seed) {
  std::vector<std::size_t> rest;
  for (std::size_t i = 0; i < data.all.size(); ++i) {
    const bool labelled =
        data.one_file() && std::binary_search(data.labelled.begin(), data.labelled.end(), i);
    if (!labelled && !seen.contains(i)) rest.push_back(i);
  }
  if (rest.empty()) {
    throw error(error_code::invalid_input, task.data,
                "every sample is a labelled one or was used to find heads; name other 'labelled_data', or "
                "fewer 'labelled' samples");
  }
  std::vector<tasks::sample> chosen;
  for (const std::size_t place : tasks::select_limited(rest.size(), task.limit, seed))
    chosen.push_back(data.all[rest[place]]);
  return chosen;
}

}  // namespace act::suite
