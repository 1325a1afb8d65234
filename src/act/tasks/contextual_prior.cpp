#include <act/error.hpp>
#include <act/statistics/auc.hpp>
#include <act/tasks/contextual_prior.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace act::tasks {

prior_prompts prior_prompts_of(std::span<const prepared_sample> content_free) {
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

statistics::score_table less_prior(const statistics::score_table& scores, const prior_prompts& prompts,
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
