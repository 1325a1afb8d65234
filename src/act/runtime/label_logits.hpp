// Logits of a few words at each prompt's last position: the only rows of the output matrix that scoring
// needs.
#pragma once

#include <act/error.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/model.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace act::runtime {

/// scores[i][w] = logit of words[i][w] at prompt i's last position. `hidden` is what `final_hidden` returned,
/// one row a prompt. Each distinct word of the batch is expanded once. Throws `error` (invalid_input) for a
/// logit that isn't finite: nothing could be ranked by it.
[[nodiscard]] inline std::vector<std::vector<double>> label_logits(
    const model& model, const matrix& hidden, std::span<const std::span<const token_id>> words) {
  std::vector<token_id> distinct;
  for (const std::span<const token_id> each : words)
    distinct.insert(distinct.end(), each.begin(), each.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());

  matrix rows(index(distinct.size()), index(model.output.width()));
  for (std::size_t i = 0; i < distinct.size(); ++i) {
    model.output.copy_row(static_cast<std::size_t>(distinct[i]), {&rows(index(i), 0), model.output.width()});
  }

  std::vector<std::vector<double>> scores(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const token_id word : words[i]) {
      const auto at = std::lower_bound(distinct.begin(), distinct.end(), word) - distinct.begin();
      // One dot product a word, always in the same order: a score doesn't depend on what else is in the
      // batch.
      const float logit = hidden.row(index(i)).dot(rows.row(at));
      if (!std::isfinite(logit)) {
        throw error(error_code::invalid_input, "model " + model.config.architecture,
                    "a prompt's logits aren't finite; the weights are damaged or overflow float32, fetch the "
                    "model again");
      }
      scores[i].push_back(static_cast<double>(logit));
    }
  }
  return scores;
}

}  // namespace act::runtime
