// Gradients of texts' scores with regard to the last layer's output: where head_attribution.hpp begins.
#pragma once

#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/model.hpp>
#include <act/search/scored_texts.hpp>

#include <cstddef>
#include <vector>

namespace act::search {

/// One row of the last layer's output that a score depends on.
struct scoring_row {
  std::size_t sequence = 0;
  std::size_t score = 0;  ///< which of scored_texts::scores_of
  std::size_t row = 0;    ///< of the text
};

struct score_gradients {
  std::vector<scoring_row> rows;
  runtime::matrix gradients;  ///< one row each, [rows, hidden]
};

/// Of the scores of texts [first, first + count), whose rows `hidden` holds one text after another. Of a
/// greedy score, which is the largest of several logits, the largest one's. Costs as logit_gradients and, for
/// options, log_probability_gradients; with greedy scores a product with the vocabulary more.
[[nodiscard]] score_gradients gradients_of_scores(const runtime::model& model, const scored_texts& texts,
                                                  std::size_t first, std::size_t count,
                                                  const runtime::const_matrix_ref& hidden);

}  // namespace act::search
