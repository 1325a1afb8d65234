// Contextual calibration's arithmetic: each score less what the same answer scores after the prompt without
// content. Which prompt that is, prior.hpp says.
#pragma once

#include <act/statistics/auc.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace act::tasks {

/// The prompts without content of a list of samples. Most of a task's samples have the same one: each is run
/// once.
struct prior_prompts {
  std::vector<prepared_sample> distinct;
  std::vector<std::size_t> of_sample;  ///< position in `distinct` of each sample's
};

/// `content_free[i]` is sample i without its content, prepared as the sample itself was.
[[nodiscard]] prior_prompts prior_prompts_of(std::span<const prepared_sample> content_free);

/// scores[i] less the scores of sample i's prompt without content. Throws error (invalid_shape) where a
/// sample and its prompt without content don't have equally many answers.
[[nodiscard]] statistics::score_table less_prior(const statistics::score_table& scores,
                                                 const prior_prompts& prompts,
                                                 const statistics::score_table& prior_scores);

}  // namespace act::tasks
