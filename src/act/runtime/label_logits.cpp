#include <act/runtime/forward.hpp>
#include <act/runtime/label_logits.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace act::runtime {

std::vector<std::vector<double>> label_logits(const model& model, const matrix& hidden,
                                              std::span<const std::span<const token_id>> words) {
  std::vector<token_id> distinct;
  for (const std::span<const token_id> each : words)
    distinct.insert(distinct.end(), each.begin(), each.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());

  const stored_matrix& vocabulary = model.output.rows();
  matrix rows(distinct.size(), vocabulary.columns());
  for (std::size_t i = 0; i < distinct.size(); ++i)
    vocabulary.copy_row(static_cast<std::size_t>(distinct[i]), rows.row(i));

  std::vector<std::vector<double>> scores(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const token_id word : words[i]) {
      const auto at = std::lower_bound(distinct.begin(), distinct.end(), word) - distinct.begin();
      // One dot product a word, always in the same order: a score doesn't depend on what else is in the
      // batch.
      const float logit = model.output.logit(static_cast<std::size_t>(word),
                                             dot(hidden.row(i), rows.row(static_cast<std::size_t>(at))));
      if (!std::isfinite(logit)) refuse_logits(model);
      scores[i].push_back(static_cast<double>(logit));
    }
  }
  return scores;
}

}  // namespace act::runtime
