#include <act/error.hpp>
#include <act/parallel.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/gradients/layer_gradient.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/layers/rotary.hpp>
#include <act/search/head_attribution.hpp>
#include <act/search/layer_range.hpp>
#include <act/search/score_gradients.hpp>
#include <act/search/scored_texts.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace act::search {
namespace {

// Some texts with equally many scores, whose rows lie one after another, and the gradients of their scores.
struct text_group {
  std::size_t first_text, texts, first_row, rows, scores;
  std::vector<runtime::attention_sequence> sequences;  // counted from first_row
  runtime::rotary_tables rotary;
  runtime::matrix gradient;  // [scores rows, hidden]: the rows once for each score

  // Where the gradients of a text's score begin in `gradient`.
  [[nodiscard]] std::size_t row_of(std::size_t text, std::size_t score) const noexcept {
    return score * rows + sequences[text - first_text].first_query;
  }
};

std::vector<text_group> groups_of(const runtime::model& model, const scored_texts& texts,
                                  const runtime::packed_prompts& packed) {
  std::vector<text_group> groups;
  const std::size_t all = packed.sequences.size();
  for (std::size_t first = 0; first < all; first += groups.back().texts) {
    const std::size_t scores = texts.scores_of(first), first_row = packed.sequences[first].first_query;
    std::size_t rows = 0;
    std::vector<runtime::attention_sequence> sequences;
    for (std::size_t text = first; text < all && texts.scores_of(text) == scores; ++text) {
      runtime::attention_sequence each = packed.sequences[text];
      if (text > first && (rows + each.queries) * scores > head_attributions::rows_of_a_group) break;
      each.first_query = each.first_key = rows;
      rows += each.queries;
      sequences.push_back(each);
    }
    const auto positions = std::span<const std::uint32_t>(packed.positions).subspan(first_row, rows);
    const std::size_t count = sequences.size();
    groups.push_back({.first_text = first,
                      .texts = count,
                      .first_row = first_row,
                      .rows = rows,
                      .scores = scores,
                      .sequences = std::move(sequences),
                      .rotary = {model.config.rotary, positions},
                      .gradient = {}});
  }
  return groups;
}

// The gradient at the last layer's output, of which `hidden` has the group's rows.
void start(const runtime::model& model, const scored_texts& texts, const runtime::const_matrix_ref& hidden,
           text_group& group) {
  group.gradient = runtime::matrix(group.scores * group.rows, hidden.cols());
  std::fill_n(group.gradient.data(), group.gradient.size(), 0.0F);
  const score_gradients from = gradients_of_scores(model, texts, group.first_text, group.texts, hidden);
  for (std::size_t i = 0; i < from.rows.size(); ++i) {
    const scoring_row& at = from.rows[i];
    const std::span<const float> row = from.gradients.row(i);
    std::copy(row.begin(), row.end(),
              group.gradient.row(group.row_of(at.sequence, at.score) + at.row).begin());
  }
}

// Sum over rows of gradient . (calibrated - plain).
double along(const runtime::const_matrix_ref& gradient, const runtime::const_matrix_ref& calibrated,
             const runtime::const_matrix_ref& plain) noexcept {
  double sum = 0;
  for (std::size_t row = 0; row < gradient.rows(); ++row) {
    float of_row = 0;
    for (std::size_t i = 0; i < gradient.cols(); ++i)
      of_row += gradient(row, i) * (calibrated(row, i) - plain(row, i));
    sum += static_cast<double>(of_row);
  }
  return sum;
}

}  // namespace

head_attributions::head_attributions(const runtime::model& model, const scored_texts& texts,
                                     const runtime::packed_prompts& packed, layer_range range,
                                     std::span<const attributed_layer> layers,
                                     const std::function<void()>& on_layer)
    : range_(range), heads_(model.config.heads), strengths_(layers.front().alternatives.size()) {
  for (std::size_t text = 0; text < packed.sequences.size(); ++text) {
    first_.push_back(scores_);
    scores_ += texts.scores_of(text);
  }
  changes_.resize(layers.size() * strengths_ * heads_ * scores_);

  // Layers above the range left nothing behind: they are run once more.
  std::vector<runtime::matrix> above;
  runtime::matrix hidden = layers.back().input;
  const runtime::rotary_tables rotary(model.config.rotary, packed.positions);
  runtime::layer_buffers buffers;
  for (std::size_t layer = range.last; layer < model.config.layers; ++layer) {
    if (layer > range.last) above.push_back(hidden);
    runtime::run_layer(model, layer, {.sequences = packed.sequences, .rotary = rotary}, {}, hidden, buffers);
  }
  std::vector<text_group> groups = groups_of(model, texts, packed);
  for (text_group& group : groups)
    start(model, texts, std::as_const(hidden).row_block(group.first_row, group.rows), group);

  const std::size_t width = model.config.head_size;
  runtime::matrix of_heads;
  for (std::size_t layer = model.config.layers; layer-- > range.first;) {
    const runtime::layer_gradient backwards(model, layer);
    const bool searched = range.contains(layer);
    const runtime::matrix& input =
        searched ? layers[layer - range.first].input : above[layer - range.last - 1];
    for (text_group& group : groups) {
      const runtime::layer_rows rows{.sequences = group.sequences, .rotary = group.rotary};
      const auto own = input.row_block(group.first_row, group.rows);
      if (layer == range.first) {
        backwards.pull_back_to_heads(rows, own, group.gradient, of_heads);
      } else {
        backwards.pull_back(rows, own, group.gradient, of_heads);
      }
      if (on_layer) on_layer();
      if (!searched) continue;
      const attributed_layer& of = layers[layer - range.first];
      parallel_for(group.texts * heads_, [&](std::size_t task) noexcept {
        const std::size_t text = group.first_text + task / heads_, head = task % heads_;
        const std::size_t first = packed.sequences[text].first_query, count = packed.sequences[text].queries;
        const auto part = [&](const runtime::matrix& whole, std::size_t row) {
          return whole.row_block(row, count).columns(head * width, width);
        };
        for (std::size_t strength = 0; strength < strengths_; ++strength) {
          for (std::size_t score = 0; score < group.scores; ++score) {
            changes_[place(layer, strength, head, text, score)] =
                along(part(of_heads, group.row_of(text, score)), part(of.alternatives[strength], first),
                      part(of.attention, first));
          }
        }
      });
    }
  }
  check_finite(texts);
}

void head_attributions::check_finite(const scored_texts& texts) const {
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    if (std::isfinite(changes_[i])) continue;
    const auto after = std::upper_bound(first_.begin(), first_.end(), i % scores_);
    const auto text = static_cast<std::size_t>(after - first_.begin()) - 1;
    throw error(error_code::invalid_input, "sample " + std::to_string(texts.sample_of(text).index),
                "gradients of its scores aren't finite, so its trials can't be estimated; the exact search "
                "(--strategy exact) needs none");
  }
}

std::uint64_t attribution_rows(const scored_texts& texts, std::size_t text) noexcept {
  return texts[text].tokens.size() * (1 + texts.scores_of(text));
}

}  // namespace act::search
