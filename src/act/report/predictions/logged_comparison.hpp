// Two runs over the same tasks, from files: what each answered right, what changed, whether that is more than
// chance, and what could have been seen.
#pragma once

#include <act/io/json_document.hpp>
#include <act/report/predictions/logged_samples.hpp>
#include <act/statistics/intervals.hpp>
#include <act/statistics/paired_tests.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace act::report {

/// One task in both runs.
struct logged_task {
  std::string task;
  std::string metric_a, metric_b;
  std::size_t n = 0;                   ///< samples that both have
  std::size_t only_a = 0, only_b = 0;  ///< that one has, left out
  std::size_t right_a = 0, right_b = 0;
  statistics::interval accuracy_a, accuracy_b;  ///< Wilson's
  statistics::paired_counts pairs;
  statistics::interval difference;  ///< of b less a, paired bootstrap
  double p = 1;                     ///< McNemar's, exact
  double detectable = 1;            ///< smallest_detectable_difference
  bool is_discovery = false;        ///< among those that Benjamini and Hochberg believe
};

struct logged_comparison {
  std::vector<logged_task> tasks;  ///< by name
  double false_discovery_rate = 0.05;
  std::vector<std::string> unmatched;  ///< tasks that only one run has, left out
};

/// Pairs the runs by task (one each: whatever they are called) and the samples by number. Throws error
/// (mismatch) where they have no task or no sample in common, and where a sample's hashes say that it isn't
/// the same one.
[[nodiscard]] logged_comparison compare_logged(const std::vector<logged_run>& a,
                                               const std::vector<logged_run>& b, double false_discovery_rate,
                                               std::uint64_t seed);

[[nodiscard]] std::string comparison_text(const logged_comparison& comparison);
[[nodiscard]] io::json_document comparison_json(const logged_comparison& comparison);

}  // namespace act::report
