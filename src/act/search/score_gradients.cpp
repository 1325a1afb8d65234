#include <act/runtime/forward.hpp>
#include <act/runtime/gradients/output_gradient.hpp>
#include <act/runtime/label_logits.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/log_probabilities.hpp>
#include <act/search/score_gradients.hpp>
#include <act/search/scored_texts.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace act::search {
namespace {

// The token whose logit is the score of each answer, and last of any other token: those with the largest
// logits at a prompt's last row.
std::vector<runtime::token_id> greedy_tokens(const runtime::model& model,
                                             const runtime::answer_tokens& answers,
                                             const runtime::matrix& last_hidden) {
  std::vector<runtime::token_id> all;
  for (const std::vector<runtime::token_id>& answer : answers)
    all.insert(all.end(), answer.begin(), answer.end());
  const std::span<const runtime::token_id> words(all);
  const std::vector<double> logits = runtime::label_logits(model, last_hidden, {&words, 1}).front();
  std::vector<runtime::token_id> largest;
  auto next = logits.begin();
  for (const std::vector<runtime::token_id>& answer : answers) {
    const auto end = next + static_cast<std::ptrdiff_t>(answer.size());
    largest.push_back(answer[static_cast<std::size_t>(std::max_element(next, end) - next)]);
    next = end;
  }
  // One of so many is none of the answers'.
  const std::vector<runtime::token_ranking> ranked =
      runtime::rank_tokens(model, last_hidden, {}, all.size() + 1, model.config.vocabulary);
  for (const runtime::ranked_token& each : ranked.front().likeliest) {
    if (std::find(all.begin(), all.end(), each.token) != all.end()) continue;
    largest.push_back(each.token);
    break;
  }
  return largest;
}

}  // namespace

score_gradients gradients_of_scores(const runtime::model& model, const scored_texts& texts, std::size_t first,
                                    std::size_t count, const runtime::const_matrix_ref& hidden) {
  score_gradients made;
  std::vector<runtime::token_id> tokens;
  std::vector<std::size_t> at;  // of each scoring row, in `hidden`
  std::size_t begin = 0;
  for (std::size_t number = first; number < first + count; begin += texts[number].tokens.size(), ++number) {
    const scored_sequence& text = texts[number];
    const tasks::prepared_sample& sample = texts.sample_of(number);
    if (!sample.options.empty()) {
      for (std::size_t row = text.first_scored; row < text.end; ++row) {
        made.rows.push_back({.sequence = number, .score = 0, .row = row});
        tokens.push_back(text.tokens[row + 1]);
        at.push_back(begin + row);
      }
      continue;
    }
    std::vector<runtime::token_id> words = sample.words;
    if (sample.greedy()) {
      runtime::matrix last(1, hidden.cols());
      runtime::copy(hidden.row_block(begin + text.end - 1, 1), last);
      words = greedy_tokens(model, sample.greedy_tokens, final_hidden(model, last));
    }
    for (std::size_t score = 0; score < words.size(); ++score) {
      made.rows.push_back({.sequence = number, .score = score, .row = text.end - 1});
      tokens.push_back(words[score]);
      at.push_back(begin + text.end - 1);
    }
  }
  runtime::matrix rows(at.size(), hidden.cols());
  for (std::size_t i = 0; i < at.size(); ++i)
    runtime::copy(hidden.row_block(at[i], 1), rows.row_block(i, 1));
  if (texts.last_rows_only()) {
    made.gradients = runtime::logit_gradients(model, rows, tokens);
    return made;
  }
  made.gradients = runtime::log_probability_gradients(model, rows, tokens);
  // An option's score is its log-likelihood a byte.
  for (std::size_t i = 0; i < at.size(); ++i) {
    const std::size_t number = made.rows[i].sequence;
    const std::size_t bytes = texts.sample_of(number).option_bytes[texts[number].answer];
    runtime::scale(made.gradients.row(i), 1.0F / static_cast<float>(bytes));
  }
  return made;
}

}  // namespace act::search
