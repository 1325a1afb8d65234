// What a search says of itself while it runs.
#pragma once

#include <string>

namespace act::search {
struct search_advance;
class trial_table;
}  // namespace act::search

namespace act::report {

/// The heads with the largest mean gain in log-likelihood so far, "12.3 +0.031, 14.1 +0.020, 9.5 +0.019", as
/// LAYER.HEAD, with its strength in brackets where there are several; of those that have been tried on at
/// least half as many samples as any. Empty where none gains. Cost: a look at every trial.
[[nodiscard]] std::string best_heads_so_far(const search::trial_table& table);

/// Makes lines like "searching 22 %, 310 trials/s, 2:15 min left; best 12.3 +0.031, 14.1 +0.020". Looks for
/// the best heads anew once that takes a hundredth of the time since the last look.
class search_progress_line {
 public:
  /// `seconds`: since this run began.
  [[nodiscard]] std::string at(const search::search_advance& at, double seconds);

 private:
  std::string best_;
  double next_look_ = 0;
};

}  // namespace act::report
