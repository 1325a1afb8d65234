// Domain-context calibration (Fei et al. 2023, "Mitigating Label Biases for In-context Learning"): the label
// prior is what the model says, on the mean, to prompts of random words of the data set. For act-eval, beside
// contextual_prior.hpp and batch_prior.hpp.
#pragma once

#include <act/statistics/auc.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace act::tasks {

/// How many random texts the prior is the mean over, as in the paper.
inline constexpr std::size_t domain_texts = 20;

/// `count` samples whose own fields (those that the task's pattern names) are random words of that field in
/// `corpus`, as many as a text of it has on the mean, with repetition. Labels aren't looked at. Deterministic
/// by `seed`. Throws error (unsupported) for a task that isn't classification, whose answers are the same for
/// every sample, (invalid_input) for a corpus whose texts have no words.
[[nodiscard]] std::vector<sample> random_domain_samples(const task& of, std::span<const sample> corpus,
                                                        std::size_t count, std::uint64_t seed);

/// Each score less the logarithm of its label's mean probability (a softmax over a row's scores) in
/// `random_scores`, those of random texts. Throws error (invalid_shape) where there are none, or rows differ
/// in length.
[[nodiscard]] statistics::score_table less_domain_prior(const statistics::score_table& scores,
                                                        const statistics::score_table& random_scores);

}  // namespace act::tasks
