#include <act/runtime/greedy_logits.hpp>
#include <act/runtime/label_logits.hpp>
#include <act/tasks/last_position.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <span>
#include <vector>

namespace act::tasks {

std::vector<std::vector<double>> last_position_scores(const runtime::model& model,
                                                      const runtime::matrix& hidden,
                                                      std::span<const prepared_sample* const> samples) {
  if (!samples.empty() && samples.front()->greedy()) {
    std::vector<const runtime::answer_tokens*> answers;
    for (const prepared_sample* sample : samples)
      answers.push_back(&sample->greedy_tokens);
    return greedy_logits(model, hidden, answers);
  }
  std::vector<std::span<const runtime::token_id>> words;
  for (const prepared_sample* sample : samples)
    words.emplace_back(sample->words);
  return label_logits(model, hidden, words);
}

}  // namespace act::tasks
