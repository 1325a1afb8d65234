#include <act/runtime/forward.hpp>
#include <act/runtime/greedy_logits.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/model.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace act::runtime {

std::vector<std::vector<double>> greedy_logits(const model& model, const matrix& hidden,
                                               std::span<const answer_tokens* const> answers) {
  constexpr float lowest = std::numeric_limits<float>::lowest();

  // Of every prompt, its answers' tokens in the order of the vocabulary.
  struct answer_token {
    token_id token;
    std::size_t answer;
    float logit;
  };
  std::vector<std::vector<answer_token>> found(answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    for (std::size_t answer = 0; answer < answers[i]->size(); ++answer) {
      for (const token_id token : (*answers[i])[answer])
        found[i].push_back({token, answer, lowest});
    }
    std::sort(found[i].begin(), found[i].end(),
              [](const answer_token& a, const answer_token& b) { return a.token < b.token; });
  }

  matrix others(model.output.blocks(), answers.size());
  std::atomic<bool> finite{true};
  model.output.logits_in_blocks(hidden, [&](std::size_t first, matrix& logits) {
    const std::size_t end = first + logits.cols();
    if (!all_finite({logits.data(), logits.size()})) finite = false;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      auto each = std::lower_bound(
          found[i].begin(), found[i].end(), first,
          [](const answer_token& a, std::size_t b) { return static_cast<std::size_t>(a.token) < b; });
      for (; each != found[i].end() && static_cast<std::size_t>(each->token) < end; ++each) {
        // A token belongs to one block, so no other thread writes here.
        float& logit = logits(i, static_cast<std::size_t>(each->token) - first);
        each->logit = logit;
        logit = lowest;
      }
      others(first / output_matrix::tokens_per_block, i) = largest(logits.row(i));
    }
  });
  if (!finite) refuse_logits(model);

  std::vector<std::vector<double>> scores;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    std::vector<double>& row = scores.emplace_back(answers[i]->size(), static_cast<double>(lowest));
    for (const answer_token& each : found[i])
      row[each.answer] = std::max(row[each.answer], static_cast<double>(each.logit));
    float other = others(0, i);
    for (std::size_t block = 1; block < others.rows(); ++block)
      other = std::max(other, others(block, i));
    row.push_back(static_cast<double>(other));
  }
  return scores;
}

}  // namespace act::runtime
