// Orders in which heads are taken, best first, from a table of changes.
#pragma once

#include <act/search/selection/objective.hpp>
#include <act/search/selection/score_changes.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace act::search {

/// Numbers of heads among score_changes::heads(), best first. Where heads were tried with several strengths,
/// each is one of these, unless a function says that it takes a head once.
using head_order = std::vector<std::size_t>;

/// Of each head its first place alone: once a head is taken with a strength, its others are dropped.
[[nodiscard]] head_order with_one_strength(const score_changes& of, const head_order& order);

/// All functions here look at the samples `over` only and take changes as seen_by gives them for the
/// objective. Heads that don't improve the objective aren't taken. Ties go to the lower layer and head, so an
/// order doesn't depend on that of the table's heads.

/// By mean gain; among equal ones (accuracy) by the gain in log-likelihood.
[[nodiscard]] head_order by_gain(const score_changes& of, search_objective objective,
                                 std::span<const std::size_t> over);

/// By how many more samples they answer right than they lose, whichever source these come from; among equal
/// ones by the gain in log-likelihood. The paper's rule (section 4, head filtering) takes all of these.
[[nodiscard]] head_order by_net_gain(const score_changes& of, std::span<const std::size_t> over);

/// By mean gain over its standard error: a small gain that every sample shows comes before a large one of a
/// few.
[[nodiscard]] head_order by_studentised_gain(const score_changes& of, search_objective objective,
                                             std::span<const std::size_t> over);

/// By what a head gains whatever the task, as an empirical Bayes estimate (normal means, moments as in
/// DerSimonian and Laird 1986, shrinkage as in Efron and Morris 1973). Gains are first divided by the
/// source's root mean square over heads, so that no task counts more because its scores move more. Head h
/// gains mu_h + delta in a source, mu_h ~ N(m, omega^2), delta ~ N(0, tau^2), and is seen with its standard
/// error there; mu_h's posterior mean orders. tau^2 and omega^2 come from the spread of gains within heads
/// and between them, less what the errors explain. So a head that gains in one task only, or by few samples,
/// comes later. For one source tau^2 is 0: gains are shrunk by their errors alone.
[[nodiscard]] head_order by_shared_gain(const score_changes& of, search_objective objective,
                                        std::span<const std::size_t> over);

/// By what they give the initial token in the plain pass, largest first: all heads, as no label says which
/// of them gain. The mean weight that rows give it, averaged over their samples, is how attention sinks are
/// measured (Gu et al. 2025, "When Attention Sink Emerges in Language Models"); ZeroTuning's heads are those
/// that attend to it.
[[nodiscard]] head_order by_initial_mass(const score_changes& of, std::span<const std::size_t> over);

/// Where each head comes in each of `resamples` orders by studentised gain: [resample][head], from 0; as many
/// as there are heads for one that doesn't improve the objective there, or is better with another strength.
/// Samples are drawn with replacement,
/// each source's as many as it has. O(resamples x heads x samples).
[[nodiscard]] std::vector<std::vector<std::size_t>> resampled_places(const score_changes& of,
                                                                     search_objective objective,
                                                                     std::span<const std::size_t> over,
                                                                     std::size_t resamples,
                                                                     std::uint64_t seed);

/// Heads among the first `top` in more than half of those orders, the steadiest first (stability selection:
/// Meinshausen and Buehlmann 2010, with the bootstrap of Bach 2008).
[[nodiscard]] head_order steady_heads(std::span<const std::vector<std::size_t>> places, std::size_t top);

/// Forward selection: starts from the plain scores and takes, at most `most` times, the head whose change
/// improves the mean of the estimated joint scores most. Ends where none does. What a head adds depends on
/// those taken before it, so of two that do the same the second comes late. Takes a head once, with the
/// strength that adds most when its turn comes.
/// O(most x heads x scores); over all threads.
[[nodiscard]] head_order by_joint_gain(const score_changes& of, search_objective objective,
                                       std::span<const std::size_t> over, std::size_t most);

/// Forward selection that doesn't fit samples jointly: takes, at most `most` times, the head whose own gain
/// and whose shift of the label prior are worth most. The latter is what the log-likelihood of the right
/// answers gains by the head's mean change of each answer's score (source by source; nothing where samples
/// have answers of their own) on top of the scores that the heads taken so far give. So of heads that
/// improve the objective those come first whose shifts mend the prior or cancel out, and one that doesn't
/// improve it is taken where its shift is worth more than it loses; how few numbers a shift has keeps it from
/// fitting noise. Ends where none is worth anything. `seen` is `of` as seen_by gives it for the objective,
/// one of log-likelihoods, and gives own gains; `of` isn't centred. Takes a head once, as by_joint_gain.
/// O(most x heads x scores); over all threads.
[[nodiscard]] head_order by_balanced_gain(const score_changes& of, const score_changes& seen,
                                          search_objective objective, std::span<const std::size_t> over,
                                          std::size_t most);

/// `count` heads at random.
[[nodiscard]] head_order at_random(const score_changes& of, std::size_t count, std::uint64_t seed);

}  // namespace act::search
