#include <act/report/number_text.hpp>
#include <act/report/progress.hpp>
#include <act/report/search_progress.hpp>
#include <act/search/evidence.hpp>
#include <act/search/search_run.hpp>
#include <act/search/trial_table.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace act::report {

std::string best_heads_so_far(const search::trial_table& table) {
  constexpr std::size_t shown = 3;
  const std::vector<search::head_evidence> evidence = search::evidence_of(table);
  std::size_t most = 0;
  for (const search::head_evidence& each : evidence)
    most = std::max(most, each.tried);
  std::vector<search::head_evidence> known;
  for (const search::head_evidence& each : evidence) {
    // A head that has hardly been tried is lucky or unlucky.
    if (2 * each.tried >= most && each.log_likelihood_gain > 0) known.push_back(each);
  }
  std::sort(known.begin(), known.end(),
            [](const auto& a, const auto& b) { return a.log_likelihood_gain > b.log_likelihood_gain; });
  // A head once, with the best of its strengths.
  std::vector<search::head_evidence> best;
  for (const search::head_evidence& each : known) {
    const bool there = std::any_of(best.begin(), best.end(), [&](const auto& other) {
      return other.layer == each.layer && other.head == each.head;
    });
    if (!there && best.size() < shown) best.push_back(each);
  }
  std::string text;
  for (auto each = best.begin(); each != best.end(); ++each) {
    text += (text.empty() ? "" : ", ") + std::to_string(each->layer) + "." + std::to_string(each->head) +
            (each->strength ? formatted(" (%g)", *each->strength) : std::string()) +
            formatted(" %+.3f", each->log_likelihood_gain);
  }
  return text;
}

std::string search_progress_line::at(const search::search_advance& at, double seconds) {
  std::string line = "searching " + formatted("%.0f %%", 100 * std::min(at.part, 1.0));
  if (at.computed > 0 && seconds > 0) {
    line += formatted(", %.3g trials/s", static_cast<double>(at.trials) / seconds);
    if (at.left > 0) line += ", " + format_duration(at.left * seconds / at.computed) + " left";
  }
  if (seconds >= next_look_) {
    const auto start = std::chrono::steady_clock::now();
    best_ = best_heads_so_far(at.results);
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    next_look_ = seconds + std::max(0.5, 100 * took);
  }
  return line + (best_.empty() ? "" : "; best " + best_);
}

}  // namespace act::report
