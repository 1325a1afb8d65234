#include <act/runtime/forward.hpp>
#include <act/runtime/head_logits.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/layers/norm.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/products/product.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// The words' rows of the output matrix, and the way there from the residual stream.
class word_projection {
 public:
  word_projection(const model& model, std::span<const token_id> words)
      : model_(&model), rows_(words.size(), model.output.rows().columns()) {
    for (std::size_t i = 0; i < words.size(); ++i)
      model.output.rows().copy_row(static_cast<std::size_t>(words[i]), rows_.row(i));
  }

  // [rows][word] of x, [rows, hidden].
  [[nodiscard]] std::vector<std::vector<double>> of(const matrix& x) const {
    if (model_->project_out.outputs() == 0) return products(x);
    matrix projected(x.rows(), model_->project_out.outputs());
    apply(model_->project_out, x, projected);
    return products(projected);
  }

 private:
  [[nodiscard]] std::vector<std::vector<double>> products(const matrix& x) const {
    std::vector<std::vector<double>> logits(x.rows());
    for (std::size_t row = 0; row < x.rows(); ++row) {
      for (std::size_t word = 0; word < rows_.rows(); ++word) {
        const float logit = dot(x.row(row), rows_.row(word));
        if (!std::isfinite(logit)) refuse_logits(*model_);
        logits[row].push_back(static_cast<double>(logit));
      }
    }
    return logits;
  }

  const model* model_;
  matrix rows_;
};

// Makes of a head's rows `part` its share of norm(total), both [rows, hidden]: what is linear of a norm once
// its scale is given. The norm's bias is nobody's share.
void take_share(const norm& of, const matrix& total, matrix& part) {
  const auto width = static_cast<float>(total.cols());
  for (std::size_t row = 0; row < total.rows(); ++row) {
    const bool centres = of.kind == norm_kind::layer;
    const float mean = centres ? sum(total.row(row)) / width : 0.0F;
    const float variance = sum_of_squares(total.row(row), mean) / width;
    const std::span<float> x = part.row(row);
    shift_and_scale(x, centres ? sum(x) / width : 0.0F, 1.0F / std::sqrt(variance + of.epsilon), x);
    if (!of.weight.empty()) multiply(x, of.weight);
  }
}

layer_head_logits logits_of_layer(const model& model, std::size_t number, const matrix& input,
                                  const matrix& attention, const word_projection& words) {
  const decoder_layer& layer = model.layers[number];
  const std::size_t prompts = input.rows(), heads = model.config.heads, width = model.config.head_size;
  layer_head_logits made{.input = words.of(input), .heads = {}};
  made.heads.resize(prompts * heads);
  matrix total;
  if (layer.attention_norms.output.present()) {
    total.resize(prompts, model.config.hidden);
    apply(layer.attention_output, attention, total);
  }
  // Row by row what one head alone makes, the others being zeros: the matrix is read once for all heads.
  matrix alone(heads * prompts, heads * width), parts(heads * prompts, model.config.hidden);
  std::fill_n(alone.data(), alone.size(), 0.0F);
  for (std::size_t head = 0; head < heads; ++head)
    copy(attention.columns(head * width, width),
         alone.row_block(head * prompts, prompts).columns(head * width, width));
  const stored_matrix& weight = layer.attention_output.weight;  // without its bias
  multiply({alone.data(), alone.rows(), alone.cols()}, weight, 0, weight.rows(),
           layer.attention_output.compute, {parts.data(), parts.rows(), parts.cols()});
  for (std::size_t head = 0; head < heads; ++head) {
    matrix part(prompts, model.config.hidden);
    copy(std::as_const(parts).row_block(head * prompts, prompts), part);
    if (layer.attention_norms.output.present()) take_share(layer.attention_norms.output, total, part);
    std::vector<std::vector<double>> of_head = words.of(part);
    for (std::size_t prompt = 0; prompt < prompts; ++prompt)
      made.heads[prompt * heads + head] = std::move(of_head[prompt]);
  }
  return made;
}

}  // namespace

std::vector<layer_head_logits> head_logits(const model& model, const packed_prompts& prompts,
                                           std::size_t first, std::size_t end,
                                           std::span<const token_id> words) {
  const word_projection projection(model, words);
  const rotary_tables rotary(model.config.rotary, prompts.positions);
  std::vector<std::uint32_t> last_rows;
  for (const attention_sequence& each : prompts.sequences)
    last_rows.push_back(static_cast<std::uint32_t>(each.first_query + each.queries - 1));
  std::vector<layer_head_logits> made;
  layer_buffers buffers;
  matrix hidden = embed(model, prompts);
  for (std::size_t layer = 0; layer < end; ++layer) {
    const matrix input = layer < first ? matrix() : rows_at(hidden, last_rows);
    const bool last = layer + 1 == end;
    run_layer(model, layer,
              {.sequences = prompts.sequences,
               .rotary = rotary,
               .wanted = last ? rows_wanted::last_of_each_sequence : rows_wanted::all},
              {}, hidden, buffers);
    if (layer < first) continue;
    made.push_back(logits_of_layer(
        model, layer, input, last ? buffers.attention : rows_at(buffers.attention, last_rows), projection));
  }
  return made;
}

}  // namespace act::runtime
