// Tests that may be looked at after every sample: their error is bounded over all looks together. For samples
// that are drawn in random order from a finite set of which all would be looked at in the end.
#pragma once

#include <cstddef>

namespace act::statistics {

/// How far the mean of the first `seen` of `population` values may lie from the mean of all, one-sided, at
/// any look, but with probability `risk`. `deviation`: that of the values seen (by n - 1).
/// Asymptotic: for values with two moments whose first looks count little (Waudby-Smith, Arbour, Sinha,
/// Kennedy, Ramdas 2024, Time-uniform central limit theory and asymptotic confidence sequences, one-sided
/// boundary; its rho is the best for a look at a quarter of the population), with the finite population's
/// factor sqrt(1 - seen / population) (Serfling 1974), and wider by 3 / seen because the deviation isn't
/// known either. From 20 values on the risk is kept for values like uniform ones; for exponential ones, whose
/// long tail shows late, it is three times as large. 0 once all are seen. Precondition: 0 < risk < 0.5, 1 <=
/// seen <= population.
[[nodiscard]] double mean_radius(double deviation, std::size_t seen, std::size_t population,
                                 double risk) noexcept;

/// What has been seen of a head's trials, and of the plain answers of all samples.
struct flips_seen {
  std::size_t wrong = 0;      ///< samples whose plain answer is wrong, of those seen
  std::size_t gained = 0;     ///< of these, made right
  std::size_t right = 0;      ///< samples whose plain answer is right, of those seen
  std::size_t lost = 0;       ///< of these, made wrong
  std::size_t all_wrong = 0;  ///< samples whose plain answer is wrong, seen or not
  std::size_t all_right = 0;
};

/// Whether more gains than losses over all samples can be ruled out: because too few wrong ones are left, or
/// at `risk`: the samples seen are at least 1 / risk times likelier under the working priors (any number of
/// gains as likely as any other, and of losses) than under any numbers of gains and losses with more gains.
/// This ratio is a martingale under the true numbers, so no number of looks raises the risk (prior-posterior
/// ratio: Waudby-Smith and Ramdas 2020, Confidence sequences for sampling without replacement). Exact. Cost:
/// O(samples).
[[nodiscard]] bool rules_out_net_gain(const flips_seen& seen, double risk);

}  // namespace act::statistics
