#include <act/parallel.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/gradients/norm_gradient.hpp>
#include <act/runtime/gradients/output_gradient.hpp>
#include <act/runtime/gradients/turned_linear.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/log_probabilities.hpp>
#include <act/runtime/model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// From the gradient with regard to final_hidden(model, last_rows) to that with regard to last_rows.
matrix before_final_norm(const model& model, const matrix& last_rows, matrix gradient) {
  if (model.project_out.outputs() != 0) {
    matrix projected(gradient.rows(), model.project_out.inputs());
    turned_linear(model.project_out).pull_back(gradient, projected);
    gradient = std::move(projected);
  }
  pull_back(model.final_norm, last_rows, gradient);
  return gradient;
}

// The derivative of a logit by what comes before its soft cap.
float cap_slope(const model& model, float logit) noexcept {
  const float cap = model.config.output_soft_cap;
  return cap > 0 ? 1.0F - (logit / cap) * (logit / cap) : 1.0F;
}

}  // namespace

matrix logit_gradients(const model& model, const matrix& last_rows, std::span<const token_id> tokens) {
  const matrix hidden = final_hidden(model, last_rows);
  matrix gradient(tokens.size(), hidden.cols());
  for (std::size_t row = 0; row < tokens.size(); ++row) {
    const auto token = static_cast<std::size_t>(tokens[row]);
    model.output.rows().copy_row(token, gradient.row(row));
    const float logit = model.output.logit(token, dot(hidden.row(row), std::as_const(gradient).row(row)));
    scale(gradient.row(row), cap_slope(model, logit));
  }
  return before_final_norm(model, last_rows, std::move(gradient));
}

matrix log_probability_gradients(const model& model, const matrix& last_rows,
                                 std::span<const token_id> tokens) {
  const matrix hidden = final_hidden(model, last_rows);
  const std::size_t rows = tokens.size();
  const std::vector<double> chosen = token_log_probabilities(model, hidden, tokens);
  // log of the sum of exp(logit), and the chosen token's own part: its row.
  std::vector<float> whole(rows);
  matrix gradient(rows, hidden.cols());
  for (std::size_t row = 0; row < rows; ++row) {
    const auto token = static_cast<std::size_t>(tokens[row]);
    model.output.rows().copy_row(token, gradient.row(row));
    const float logit = model.output.logit(token, dot(hidden.row(row), std::as_const(gradient).row(row)));
    whole[row] = logit - static_cast<float>(chosen[row]);
    scale(gradient.row(row), cap_slope(model, logit));
  }
  // Less every token's row times its probability: block by block, each added in its turn.
  const std::size_t block = output_matrix::tokens_per_block, count = model.output.count();
  matrix words(block, hidden.cols()), logits(rows, block);
  for (std::size_t first = 0; first < count; first += block) {
    const std::size_t size = std::min(block, count - first);
    parallel_for(size,
                 [&](std::size_t i) noexcept { model.output.rows().copy_row(first + i, words.row(i)); });
    const matrix_ref block_words = words.row_block(0, size), of_block = logits.columns(0, size);
    multiply_turned(hidden, block_words, of_block);
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < size; ++i) {
        const float logit = model.output.logit(first + i, of_block(row, i));
        of_block(row, i) = -std::exp(logit - whole[row]) * cap_slope(model, logit);
      }
    }
    add_product(of_block, block_words, gradient);
  }
  return before_final_norm(model, last_rows, std::move(gradient));
}

}  // namespace act::runtime
