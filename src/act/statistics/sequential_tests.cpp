#include <act/statistics/sequential_tests.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace act::statistics {

namespace {

double log_choose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

// Log-likelihood of `hits` among `seen` of `all`, for each number of hits among all; -infinity where it can't
// be. Minus the log-likelihood under a uniform prior on that number, 1 / (seen + 1).
std::vector<double> log_ratios(std::size_t all, std::size_t seen, std::size_t hits) {
  std::vector<double> logs(all + 1, -std::numeric_limits<double>::infinity());
  const auto n = static_cast<double>(seen), k = static_cast<double>(hits), whole = static_cast<double>(all);
  for (std::size_t number = hits; number <= all - (seen - hits); ++number) {
    const auto m = static_cast<double>(number);
    logs[number] = log_choose(m, k) + log_choose(whole - m, n - k) - log_choose(whole, n) + std::log(n + 1);
  }
  return logs;
}

}  // namespace

double mean_radius(double deviation, std::size_t seen, std::size_t population, double risk) noexcept {
  if (seen >= population) return 0;
  const double looked = -2 * std::log(2 * std::min(risk, 0.4));
  const double best_at = std::max(1.0, static_cast<double>(population) / 4);
  const double rho2 = (looked + std::log(looked + 1) + 1) / best_at;
  const auto t = static_cast<double>(seen);
  const double inside = t * rho2 + 1;
  const double boundary =
      std::sqrt(2 * inside / (t * t * rho2) * std::log(1 + std::sqrt(inside) / (2 * risk)));
  const double few = 1 + 3 / t;  // the deviation, too, is only seen
  return deviation * few * boundary * std::sqrt(1 - t / static_cast<double>(population));
}

bool rules_out_net_gain(const flips_seen& seen, double risk) {
  const std::size_t wrong_left = seen.all_wrong - seen.wrong;
  if (seen.gained + wrong_left <= seen.lost) return true;
  const std::vector<double> gains = log_ratios(seen.all_wrong, seen.wrong, seen.gained);
  const std::vector<double> losses = log_ratios(seen.all_right, seen.right, seen.lost);
  // The most believable numbers with gains > losses.
  double best = -std::numeric_limits<double>::infinity();
  double best_losses = best;
  for (std::size_t number = 1; number < gains.size(); ++number) {
    if (number - 1 < losses.size()) best_losses = std::max(best_losses, losses[number - 1]);
    best = std::max(best, gains[number] + best_losses);
  }
  return best <= std::log(risk);
}

}  // namespace act::statistics
