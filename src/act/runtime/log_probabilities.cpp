#include <act/error.hpp>
#include <act/runtime/calibrated_passes.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/log_probabilities.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/shared_prompts.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// Tokens that all texts begin with and none is scored for. A text's own rows are never none.
std::size_t common_tokens(std::span<const scored_text> family) {
  std::size_t common = family.empty() ? 0 : family.front().first_scored;
  for (const scored_text& text : family) {
    const std::span<const token_id> tokens(text.tokens);
    common = std::min({common, text.first_scored, tokens.size() - 1});
    const auto differs = std::mismatch(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(common),
                                       family.front().tokens.begin());
    common = static_cast<std::size_t>(differs.first - tokens.begin());
  }
  return common;
}

// What each text has in common with its family's first one.
std::vector<shared_beginning> beginnings_of(std::span<const std::vector<scored_text>> families) {
  std::vector<shared_beginning> all;
  for (const std::vector<scored_text>& family : families) {
    const std::size_t first = all.size(), common = common_tokens(family);
    for (std::size_t i = 0; i < family.size(); ++i)
      all.push_back({.prompt = first, .tokens = i == 0 ? 0 : common});
  }
  return all;
}

packed_prompts packed_texts(const model_config& config, std::span<const std::vector<scored_text>> families) {
  std::vector<std::vector<token_id>> texts;
  for (const std::vector<scored_text>& family : families) {
    for (const scored_text& text : family)
      texts.push_back(text.tokens);
  }
  return pack(config, texts);
}

// Sums over each text's scored tokens; `row_of` says where in `hidden` each row of the whole packing lies.
std::vector<std::vector<double>> sums_of_texts(const model& model,
                                               std::span<const std::vector<scored_text>> families,
                                               const packed_prompts& whole, const matrix& hidden,
                                               std::span<const std::uint32_t> row_of) {
  std::vector<std::uint32_t> rows;
  std::vector<token_id> targets;
  std::size_t text = 0;
  const auto for_each_scored = [&](const auto& take) {
    text = 0;
    for (std::size_t family = 0; family < families.size(); ++family) {
      for (std::size_t i = 0; i < families[family].size(); ++i, ++text) {
        const attention_sequence& at = whole.sequences[text];
        for (std::size_t token = families[family][i].first_scored; token < at.keys; ++token)
          take(family, i, at.first_key + token);
      }
    }
  };
  for_each_scored([&](std::size_t, std::size_t, std::size_t row) {
    // A token is predicted by the row before it.
    rows.push_back(row_of.empty() ? static_cast<std::uint32_t>(row - 1) : row_of[row - 1]);
    targets.push_back(whole.tokens[row]);
  });
  const std::vector<double> each =
      token_log_probabilities(model, final_hidden(model, rows_at(hidden, rows)), targets);
  std::vector<std::vector<double>> sums;
  for (const std::vector<scored_text>& family : families)
    sums.emplace_back(family.size(), 0.0);
  std::size_t next = 0;
  for_each_scored([&](std::size_t family, std::size_t i, std::size_t) { sums[family][i] += each[next++]; });
  return sums;
}

// Of each row the logarithm of the sum of exp(logit) over the vocabulary. `look(first, logits)` sees every
// block of logits on the way, as logits_in_blocks says.
template <class Look>
std::vector<double> log_sums(const model& model, const matrix& hidden, const Look& look) {
  const std::size_t blocks = model.output.blocks();
  const std::size_t rows = hidden.rows();
  // Of each block of the vocabulary: its largest logit and the sum of exp(logit - largest), for every row.
  matrix most_of(blocks, rows), sums(blocks, rows);
  model.output.logits_in_blocks(hidden, [&](std::size_t first, const matrix& logits) {
    const std::size_t block = first / output_matrix::tokens_per_block;
    for (std::size_t row = 0; row < rows; ++row) {
      const float most = largest(logits.row(row));
      most_of(block, row) = most;
      sums(block, row) = sum_of_exponentials(logits.row(row), most);
    }
    look(first, logits);
  });
  std::vector<double> whole(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    float largest_of_all = most_of(0, row);
    for (std::size_t block = 1; block < blocks; ++block)
      largest_of_all = std::max(largest_of_all, most_of(block, row));
    const double most = static_cast<double>(largest_of_all);
    double sum = 0;
    for (std::size_t block = 0; block < blocks; ++block) {
      sum +=
          static_cast<double>(sums(block, row)) * std::exp(static_cast<double>(most_of(block, row)) - most);
    }
    whole[row] = most + std::log(sum);
  }
  return whole;
}

// The likeliest tokens seen so far, for as long as a row's logits come by.
class best_tokens {
 public:
  // At most `most`, which is set aside at once: adding throws nothing.
  explicit best_tokens(std::size_t most) : most_(most) { best_.reserve(most + 1); }

  void add(token_id token, double logit) noexcept {
    if (most_ == 0 || (best_.size() == most_ && !before({token, logit}, best_.back()))) return;
    best_.insert(std::upper_bound(best_.begin(), best_.end(), ranked_token{token, logit}, before),
                 {token, logit});
    if (best_.size() > most_) best_.pop_back();
  }
  [[nodiscard]] const std::vector<ranked_token>& found() const noexcept { return best_; }

 private:
  static bool before(const ranked_token& a, const ranked_token& b) noexcept {
    return a.log_probability != b.log_probability ? a.log_probability > b.log_probability : a.token < b.token;
  }
  std::size_t most_;
  std::vector<ranked_token> best_;
};

// The rankings of some rows; targets as rank_tokens has them.
std::vector<token_ranking> rank_some(const model& model, const matrix& hidden,
                                     std::span<const token_id> targets, std::size_t count,
                                     std::size_t vocabulary) {
  const std::size_t rows = hidden.rows(), blocks = model.output.blocks();
  std::vector<token_ranking> rankings(rows);
  std::vector<best_tokens> best;  // of each block and row, made alone: a copy has no memory set aside
  best.reserve(blocks * rows);
  while (best.size() < blocks * rows)
    best.emplace_back(count);
  const std::vector<double> whole = log_sums(model, hidden, [&](std::size_t first, const matrix& logits) {
    const std::size_t end = std::min(logits.cols(), vocabulary - std::min(vocabulary, first));
    best_tokens* const of = &best[first / output_matrix::tokens_per_block * rows];
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < end; ++i)
        of[row].add(static_cast<token_id>(first + i), static_cast<double>(logits(row, i)));
      if (row >= targets.size()) continue;
      const auto target = static_cast<std::size_t>(targets[row]);
      if (target >= first && target < first + logits.cols())
        rankings[row].target = static_cast<double>(logits(row, target - first));
    }
  });
  for (std::size_t row = 0; row < rows; ++row) {
    best_tokens merged(count);
    for (std::size_t block = 0; block < blocks; ++block) {
      for (const ranked_token& each : best[block * rows + row].found())
        merged.add(each.token, each.log_probability);
    }
    if (row < targets.size()) rankings[row].target -= whole[row];
    rankings[row].likeliest = merged.found();
    for (ranked_token& each : rankings[row].likeliest)
      each.log_probability -= whole[row];
  }
  return rankings;
}

}  // namespace

std::vector<token_ranking> rank_tokens(const model& model, const matrix& hidden,
                                       std::span<const token_id> targets, std::size_t count,
                                       std::size_t vocabulary) {
  constexpr std::size_t at_once = 256;
  std::vector<token_ranking> rankings;
  rankings.reserve(hidden.rows());
  for (std::size_t first = 0; first < hidden.rows(); first += at_once) {
    const std::size_t end = std::min(first + at_once, hidden.rows());
    std::vector<std::uint32_t> rows(end - first);
    std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
    const std::span<const token_id> own = targets.subspan(
        std::min(first, targets.size()), std::min(end, targets.size()) - std::min(first, targets.size()));
    for (token_ranking& each : rank_some(model, rows_at(hidden, rows), own, count, vocabulary))
      rankings.push_back(std::move(each));
  }
  return rankings;
}

token_ranking rank_tokens(std::span<const float> logits, token_id target, std::size_t count,
                          std::size_t vocabulary) {
  const float most = largest(logits);
  double sum = 0;
  for (std::size_t first = 0; first < logits.size(); first += output_matrix::tokens_per_block) {
    const std::size_t size = std::min(output_matrix::tokens_per_block, logits.size() - first);
    sum += static_cast<double>(sum_of_exponentials(logits.subspan(first, size), most));
  }
  const double whole = static_cast<double>(most) + std::log(sum);
  token_ranking ranking{.target = static_cast<double>(logits[static_cast<std::size_t>(target)]) - whole};
  best_tokens best(count);
  for (std::size_t token = 0; token < std::min(vocabulary, logits.size()); ++token)
    best.add(static_cast<token_id>(token), static_cast<double>(logits[token]));
  ranking.likeliest = best.found();
  for (ranked_token& each : ranking.likeliest)
    each.log_probability -= whole;
  return ranking;
}

std::vector<double> token_log_probabilities(const model& model, const matrix& hidden,
                                            std::span<const token_id> targets) {
  std::vector<double> logit(targets.size());
  const std::vector<double> whole = log_sums(model, hidden, [&](std::size_t first, const matrix& logits) {
    for (std::size_t row = 0; row < logits.rows(); ++row) {
      const auto target = static_cast<std::size_t>(targets[row]);
      if (target >= first && target < first + logits.cols())
        logit[row] = static_cast<double>(logits(row, target - first));
    }
  });
  for (std::size_t row = 0; row < whole.size(); ++row)
    logit[row] -= whole[row];
  return logit;
}

std::vector<std::vector<double>> log_probabilities_of(const model& model, const matrix& hidden,
                                                      std::span<const token_id> tokens) {
  std::vector<std::vector<double>> logits_of(hidden.rows(), std::vector<double>(tokens.size()));
  const std::vector<double> whole = log_sums(model, hidden, [&](std::size_t first, const matrix& logits) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const auto token = static_cast<std::size_t>(tokens[i]);
      if (token < first || token >= first + logits.cols()) continue;
      for (std::size_t row = 0; row < logits.rows(); ++row)
        logits_of[row][i] = static_cast<double>(logits(row, token - first));
    }
  });
  for (std::size_t row = 0; row < whole.size(); ++row) {
    for (double& each : logits_of[row])
      each -= whole[row];
  }
  return logits_of;
}

text_log_probabilities sum_log_probabilities(const model& model,
                                             std::span<const std::vector<scored_text>> families,
                                             const model_calibration& calibration) {
  text_log_probabilities_of_each both = sum_log_probabilities_of_each(model, families, {&calibration, 1});
  return {.plain = std::move(both.plain), .calibrated = std::move(both.calibrated.front())};
}

text_log_probabilities_of_each sum_log_probabilities_of_each(
    const model& model, std::span<const std::vector<scored_text>> families,
    std::span<const model_calibration> calibrations) {
  text_log_probabilities_of_each result;
  result.calibrated.resize(calibrations.size());
  sum_log_probabilities_of_each(
      model, families, calibrations,
      [&](std::span<const std::size_t> numbers, const std::vector<std::vector<double>>& sums) {
        if (numbers.empty()) result.plain = sums;
        for (const std::size_t number : numbers)
          result.calibrated[number] = sums;
      });
  return result;
}

void sum_log_probabilities_of_each(const model& model, std::span<const std::vector<scored_text>> families,
                                   std::span<const model_calibration> calibrations,
                                   const each_sums_seen& seen) {
  for (const std::vector<scored_text>& family : families) {
    for (const scored_text& text : family) {
      if (text.first_scored < 1 || text.first_scored >= text.tokens.size()) {
        throw error(error_code::invalid_input, "text", "must have a scored token, and a token before it");
      }
    }
  }
  const packed_prompts whole = packed_texts(model.config, families);
  const shared_prompts shared(whole, beginnings_of(families));
  const std::size_t layers = model.config.layers;
  const rotary_tables rotary(model.config.rotary, shared.packed().positions);

  matrix hidden = embed(model, shared.packed());
  layer_buffers buffers;
  // Of the size that run_layer gives it, so its memory stays where it is: rows that a text shares with its
  // family's first one are attended to where that one's keys and values are written.
  buffers.key_value.resize(hidden.rows(), 2 * model.config.kv_heads * model.config.head_size);
  const std::vector<attention_sequence> sequences = shared.sequences(buffers.key_value);
  const rotary_tables whole_rotary(model.config.rotary, whole.positions);
  calibrated_passes passes(model, whole, whole_rotary, calibrations, rows_wanted::all,
                           [&](std::span<const std::size_t> numbers, const matrix& left) {
                             seen(numbers, sums_of_texts(model, families, whole, left, {}));
                           });
  for (std::size_t layer = 0; layer < layers; ++layer) {
    if (passes.start_at(layer)) passes.run_from(layer, rows_at(hidden, shared.row_of()));
    run_layer(model, layer, {.sequences = sequences, .rotary = rotary}, {}, hidden, buffers);
  }
  seen({}, sums_of_texts(model, families, whole, hidden, shared.row_of()));
}

}  // namespace act::runtime
