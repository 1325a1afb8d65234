// Plain and calibrated work that take turns in one process, so that a busy minute of the machine spoils a
// round of both and not one side. For act_runtime_bench.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace act_bench {

/// Precondition: not empty.
[[nodiscard]] inline double median(std::vector<double> numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  if (numbers.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(numbers.begin(), middle)) / 2;
}

template <class Work>
[[nodiscard]] double seconds_of(Work&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Seconds of each round; `calibrated` is empty where nothing is calibrated.
struct turns {
  std::vector<double> plain, calibrated;

  /// The median of what a calibrated round took more than the plain one beside it, of the median plain round.
  [[nodiscard]] double added() const {
    std::vector<double> more;
    for (std::size_t i = 0; i < calibrated.size(); ++i)
      more.push_back(calibrated[i] - plain[i]);
    return median(more) / median(plain);
  }
};

/// `work(calibrated)` returns the seconds that count. Each side runs once beforehand, to be warm; which side
/// is first changes with every round.
template <class Work>
[[nodiscard]] turns take_turns(std::size_t rounds, bool calibrates, Work&& work) {
  turns taken;
  work(false);
  if (calibrates) work(true);
  for (std::size_t round = 0; round < rounds; ++round) {
    const bool first = calibrates && round % 2 == 1;
    (first ? taken.calibrated : taken.plain).push_back(work(first));
    if (calibrates) (first ? taken.plain : taken.calibrated).push_back(work(!first));
  }
  return taken;
}

}  // namespace act_bench
