#include <act/statistics/auc.hpp>
#include <act/statistics/label_likelihood.hpp>
#include <act/tasks/batch_prior.hpp>

#include <cstddef>
#include <vector>

namespace act::tasks {

statistics::score_table less_batch_prior(const statistics::score_table& scores) {
  std::vector<double> sums;
  std::vector<std::size_t> counts;
  for (const std::vector<double>& row : scores) {
    if (sums.size() < row.size()) {
      sums.resize(row.size());
      counts.resize(row.size());
    }
    for (std::size_t answer = 0; answer < row.size(); ++answer) {
      sums[answer] += statistics::label_log_likelihood(row, answer);
      ++counts[answer];
    }
  }
  statistics::score_table less = scores;
  for (std::vector<double>& row : less) {
    for (std::size_t answer = 0; answer < row.size(); ++answer)
      row[answer] -= sums[answer] / static_cast<double>(counts[answer]);
  }
  return less;
}

}  // namespace act::tasks
