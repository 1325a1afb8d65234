#include <act/error.hpp>
#include <act/report/number_text.hpp>
#include <act/report/predictions/logged_comparison.hpp>
#include <act/report/table.hpp>
#include <act/statistics/bootstrap.hpp>
#include <act/statistics/detectable_difference.hpp>
#include <act/statistics/false_discovery.hpp>

#include <algorithm>
#include <utility>

namespace act::report {

namespace {

double share(std::size_t count, std::size_t of) {
  return static_cast<double>(count) / static_cast<double>(of);
}

logged_task compare_task(const logged_run& a, const logged_run& b, std::uint64_t seed) {
  logged_task task;
  task.task = !a.task.empty() ? a.task : b.task;
  task.metric_a = a.metric;
  task.metric_b = b.metric;
  statistics::outcomes right_a, right_b;
  for (const auto& [number, in_a] : a.samples) {
    const auto found = b.samples.find(number);
    if (found == b.samples.end()) {
      ++task.only_a;
      continue;
    }
    const logged_sample& in_b = found->second;
    if (!in_a.hash.empty() && !in_b.hash.empty() && in_a.hash != in_b.hash) {
      throw error(error_code::mismatch, b.name,
                  "sample " + std::to_string(number) + " isn't the same as in " + a.name +
                      " (their doc_hash differ); compare runs over the same data");
    }
    right_a.push_back(in_a.right);
    right_b.push_back(in_b.right);
  }
  task.n = right_a.size();
  task.only_b = b.samples.size() - task.n;
  if (task.n == 0) throw error(error_code::mismatch, b.name, "has no sample in common with " + a.name);
  task.pairs = statistics::count_pairs(right_a, right_b);
  task.right_a = task.pairs.both_right + task.pairs.lost;
  task.right_b = task.pairs.both_right + task.pairs.gained;
  task.accuracy_a = statistics::wilson_interval(task.right_a, task.n);
  task.accuracy_b = statistics::wilson_interval(task.right_b, task.n);
  const std::vector<statistics::outcomes> before{std::move(right_a)}, after{std::move(right_b)};
  task.difference = statistics::accuracy_difference_interval(before, after, {.seed = seed})
                        .value_or(statistics::interval{});
  task.p = statistics::mcnemar_exact(task.pairs.gained, task.pairs.lost);
  task.detectable =
      statistics::smallest_detectable_difference(task.n, share(task.pairs.gained + task.pairs.lost, task.n));
  return task;
}

}  // namespace

logged_comparison compare_logged(const std::vector<logged_run>& a, const std::vector<logged_run>& b,
                                 double false_discovery_rate, std::uint64_t seed) {
  logged_comparison made;
  made.false_discovery_rate = false_discovery_rate;
  const bool by_name = a.size() > 1 || b.size() > 1;
  std::size_t found = 0;
  for (const logged_run& each : a) {
    const auto other = std::find_if(b.begin(), b.end(), [&](const logged_run& candidate) {
      return !by_name || candidate.task == each.task;
    });
    if (other == b.end()) {
      made.unmatched.push_back(each.task);
      continue;
    }
    made.tasks.push_back(compare_task(each, *other, seed));
    ++found;
  }
  for (const logged_run& each : b) {
    if (by_name &&
        std::none_of(a.begin(), a.end(), [&](const logged_run& run) { return run.task == each.task; }))
      made.unmatched.push_back(each.task);
  }
  if (found == 0) throw error(error_code::mismatch, "samples", "the two runs have no task in common");
  std::vector<double> p;
  for (const logged_task& each : made.tasks)
    p.push_back(each.p);
  for (const std::size_t each : statistics::benjamini_hochberg(p, false_discovery_rate))
    made.tasks[each].is_discovery = true;
  return made;
}

std::string comparison_text(const logged_comparison& comparison) {
  text_table table({"task", "samples", "A", "95 % interval", "B", "95 % interval", "B - A", "95 % interval",
                    "gained, lost", "McNemar p", "could show"});
  std::string notes;
  for (const logged_task& each : comparison.tasks) {
    const double a = share(each.right_a, each.n), b = share(each.right_b, each.n);
    table.add({(each.task.empty() ? "(task)" : each.task) + (each.is_discovery ? " *" : ""),
               std::to_string(each.n), percent(a), percent_range(each.accuracy_a), percent(b),
               percent_range(each.accuracy_b), signed_percent(b - a), signed_percent_range(each.difference),
               "+" + std::to_string(each.pairs.gained) + " -" + std::to_string(each.pairs.lost),
               formatted("%.3g", each.p), percent(each.detectable)});
    if (each.only_a + each.only_b > 0) {
      notes += (each.task.empty() ? "(task)" : each.task) + ": left out " + std::to_string(each.only_a) +
               " samples that only A has and " + std::to_string(each.only_b) + " that only B has\n";
    }
  }
  for (const std::string& each : comparison.unmatched)
    notes += each + ": only one of the runs has it, left out\n";
  const auto believed =
      static_cast<std::size_t>(std::count_if(comparison.tasks.begin(), comparison.tasks.end(),
                                             [](const logged_task& each) { return each.is_discovery; }));
  std::string text = table.str() + "\n" + notes;
  if (comparison.tasks.size() > 1) {
    text += "* " + std::to_string(believed) + " of " + std::to_string(comparison.tasks.size()) +
            " tasks differ, at a false discovery rate of " +
            formatted("%.3g", comparison.false_discovery_rate) + " (Benjamini and Hochberg)\n";
  }
  text +=
      "could show: the smallest difference that McNemar's test finds at 5 % in four of five such sets, with "
      "as "
      "many changed answers\n";
  return text;
}

io::json_document comparison_json(const logged_comparison& comparison) {
  const auto both = [](const statistics::interval& of) { return std::vector<double>{of.lo, of.hi}; };
  auto tasks = io::json_document::array();
  for (const logged_task& each : comparison.tasks) {
    tasks.push_back(
        io::json_document::object({{"task", each.task},
                                   {"n", each.n},
                                   {"only_a", each.only_a},
                                   {"only_b", each.only_b},
                                   {"metric_a", each.metric_a},
                                   {"metric_b", each.metric_b},
                                   {"correct_a", each.right_a},
                                   {"correct_b", each.right_b},
                                   {"ci95_a", both(each.accuracy_a)},
                                   {"ci95_b", both(each.accuracy_b)},
                                   {"difference", share(each.right_b, each.n) - share(each.right_a, each.n)},
                                   {"difference_ci95", both(each.difference)},
                                   {"gained", each.pairs.gained},
                                   {"lost", each.pairs.lost},
                                   {"mcnemar_p", each.p},
                                   {"detectable_difference", each.detectable},
                                   {"discovery", each.is_discovery}}));
  }
  return io::json_document::object({{"false_discovery_rate", comparison.false_discovery_rate},
                                    {"tasks", std::move(tasks)},
                                    {"unmatched", comparison.unmatched}});
}

}  // namespace act::report
