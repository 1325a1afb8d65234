#include <act/error.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/log_probabilities.hpp>
#include <act/search/scored_texts.hpp>
#include <act/tasks/last_position.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace act::search {

scored_texts::scored_texts(std::span<const tasks::prepared_sample> samples) : samples_(samples) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    first_of_.push_back(sequences_.size());
    const tasks::prepared_sample& sample = samples[i];
    if (sample.options.empty()) {
      const std::size_t rows = sample.prompt.size();
      sequences_.push_back({.sample = i,
                            .answer = 0,
                            .tokens = sample.prompt,
                            .first_scored = rows == 0 ? 0 : rows - 1,
                            .end = rows,
                            .subset = sample.subset});
    }
    for (std::size_t option = 0; option < sample.options.size(); ++option) {
      const runtime::scored_text& text = sample.options[option];
      if (text.first_scored < 1 || text.first_scored >= text.tokens.size()) {
        throw error(error_code::invalid_input, "sample " + std::to_string(sample.index),
                    "an option must have a token of its own, and a token before it");
      }
      // A token is predicted by the row before it; the last row predicts none of the text.
      sequences_.push_back({.sample = i,
                            .answer = option,
                            .tokens = text.tokens,
                            .first_scored = text.first_scored - 1,
                            .end = text.tokens.size() - 1,
                            .subset = option < sample.option_subsets.size()
                                          ? std::span(sample.option_subsets[option])
                                          : std::span<const std::size_t>{}});
    }
  }
  first_of_.push_back(sequences_.size());
}

std::vector<std::vector<double>> scored_texts::values(const runtime::model& model,
                                                      std::span<const scored_part> parts,
                                                      const runtime::matrix& hidden) const {
  if (last_rows_only()) {
    std::vector<const tasks::prepared_sample*> asked;
    for (const scored_part& part : parts)
      asked.push_back(&samples_[sequences_[part.sequence].sample]);
    return last_position_scores(model, final_hidden(model, hidden), asked);
  }
  std::vector<std::uint32_t> counting;
  std::vector<runtime::token_id> targets;
  for (const scored_part& part : parts) {
    const scored_sequence& text = sequences_[part.sequence];
    for (std::size_t row = part.first; row < text.end; ++row) {
      counting.push_back(static_cast<std::uint32_t>(part.row + row - part.first));
      targets.push_back(text.tokens[row + 1]);
    }
  }
  const std::vector<double> each =
      token_log_probabilities(model, final_hidden(model, runtime::rows_at(hidden, counting)), targets);
  std::vector<std::vector<double>> split;
  auto next = each.begin();
  for (const scored_part& part : parts) {
    const auto end = next + static_cast<std::ptrdiff_t>(sequences_[part.sequence].end - part.first);
    if (!std::all_of(next, end, [](double value) { return std::isfinite(value); })) {
      throw error(error_code::invalid_input,
                  "sample " + std::to_string(samples_[sequences_[part.sequence].sample].index),
                  "the model's logits aren't finite; its weights are damaged or overflow float32");
    }
    split.emplace_back(next, end);
    next = end;
  }
  return split;
}

void scored_texts::score(std::size_t sequence, std::span<const double> values,
                         std::vector<double>& answers) const {
  const scored_sequence& text = sequences_[sequence];
  const tasks::prepared_sample& sample = samples_[text.sample];
  if (sample.options.empty()) {
    answers.assign(values.begin(), values.end());
    return;
  }
  answers.resize(sample.options.size());
  answers[text.answer] = std::accumulate(values.begin(), values.end(), 0.0) /
                         static_cast<double>(sample.option_bytes[text.answer]);
}

}  // namespace act::search
