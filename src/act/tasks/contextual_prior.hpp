// Contextual calibration's arithmetic: each score less what the same answer scores after the prompt without
// content. Which prompt that is, prior.hpp says.
#pragma once

#include <act/error.hpp>
#include <act/statistics/auc.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace act::tasks {

/// The prompts without content of a list of samples. Most of a task's samples have the same one: each is run
/// once.
struct prior_prompts {
  std::vector<prepared_sample> distinct;
  std::vector<std::size_t> of_sample;  ///< position in `distinct` of each sample's
};

/// `content_free[i]` is sample i without its content, prepared as the sample itself was.
[[nodiscard]] inline prior_prompts prior_prompts_of(std::span<const prepared_sample> content_free) {
  prior_prompts prompts;
  using key = std::tuple<std::vector<runtime::token_id>, std::vector<runtime::token_id>,
                         std::vector<std::vector<runtime::token_id>>>;
  std::map<key, std::size_t> known;
  for (const prepared_sample& each : content_free) {
    std::vector<std::vector<runtime::token_id>> options;
    for (const runtime::scored_text& option : each.options)
      options.push_back(option.tokens);
    const auto [place, added] =
        known.try_emplace({each.prompt, each.words, std::move(options)}, prompts.distinct.size());
    if (added) prompts.distinct.push_back(each);
    prompts.of_sample.push_back(place->second);
  }
  return prompts;
}

/// scores[i] less the scores of sample i's prompt without content. Throws error (invalid_shape) where a
/// sample and its prompt without content don't have equally many answers.
[[nodiscard]] inline statistics::score_table less_prior(const statistics::score_table& scores,
                                                        const prior_prompts& prompts,
                                                        const statistics::score_table& prior_scores) {
  if (scores.size() != prompts.of_sample.size() || prior_scores.size() != prompts.distinct.size()) {
    throw error(error_code::invalid_shape, "prior", "must have a prompt without content for every sample");
  }
  statistics::score_table less = scores;
  for (std::size_t i = 0; i < less.size(); ++i) {
    const std::vector<double>& prior = prior_scores[prompts.of_sample[i]];
    if (prior.size() != less[i].size()) {
      throw error(error_code::invalid_shape, "prior", "must have a score for each of a sample's answers");
    }
    for (std::size_t answer = 0; answer < less[i].size(); ++answer)
      less[i][answer] -= prior[answer];
  }
  return less;
}

}  // namespace act::tasks
