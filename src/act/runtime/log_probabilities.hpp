// Log-probabilities of given tokens inside texts: what option likelihood and perplexity are made of.
//
// Texts come in families that may begin alike (one question, several answers). What a family's texts share is
// run once: the first text is run whole, the others attend to its keys and values. A calibrated pass can't do
// that: a head's sinks are found on the whole text, so from the first calibrated layer on every text is run
// whole; below it, it takes what the shared pass made. Natural logarithms throughout.
#pragma once

#include <act/runtime/forward.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/scored_text.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace act::runtime {

/// log p(targets[r]) at row r, over the whole vocabulary. `hidden` is what `final_hidden` returned. Memory is
/// a block's logits (`logits_in_blocks`) a row and thread, not the vocabulary's. Sums are in double, in an
/// order that threads don't change. Cost: 2 rows x vocabulary x width flops.
[[nodiscard]] std::vector<double> token_log_probabilities(const model& model, const matrix& hidden,
                                                          std::span<const token_id> targets);

/// log p(tokens[i]) at every row, over the whole vocabulary: [row][i]. The rest as token_log_probabilities.
[[nodiscard]] std::vector<std::vector<double>> log_probabilities_of(const model& model, const matrix& hidden,
                                                                    std::span<const token_id> tokens);

/// A token and its log-probability.
struct ranked_token {
  token_id token = 0;
  double log_probability = 0;
};

/// What a row says of the token behind it.
struct token_ranking {
  double target = 0;                         ///< log p of the row's target
  std::vector<ranked_token> likeliest = {};  ///< the likeliest first; the smaller id where two are alike
};

/// As token_log_probabilities, and beside each target the `count` likeliest tokens of those below
/// `vocabulary` (a tokenizer may know fewer than the model has rows for). `targets` may be one shorter than
/// the rows: the last one then has none, and its `target` is 0. Rows are worked on some hundred at a time, so
/// memory is that of these.
[[nodiscard]] std::vector<token_ranking> rank_tokens(const model& model, const matrix& hidden,
                                                     std::span<const token_id> targets, std::size_t count,
                                                     std::size_t vocabulary);

/// The same of one row whose logits are known.
[[nodiscard]] token_ranking rank_tokens(std::span<const float> logits, token_id target, std::size_t count,
                                        std::size_t vocabulary);

/// Of each text of each family, the sum of its scored tokens' log-probabilities.
struct text_log_probabilities {
  std::vector<std::vector<double>> plain;       ///< [family][text]
  std::vector<std::vector<double>> calibrated;  ///< the same; empty when no head is calibrated
};

/// Runs the texts plain and, when `calibration` names heads, calibrated: every map is calibrated over the
/// whole text, its last token included. Throws `error` (invalid_input) for a text without a scored token or
/// without one before it, and where `pack` does ("prompt I" counts the texts of all families). Memory: the
/// activations of one layer for all texts; call it with about a thousand tokens at a time.
[[nodiscard]] text_log_probabilities sum_log_probabilities(const model& model,
                                                           std::span<const std::vector<scored_text>> families,
                                                           const model_calibration& calibration);

/// The same for a plain pass and several calibrated ones.
struct text_log_probabilities_of_each {
  std::vector<std::vector<double>> plain;                    ///< [family][text]
  std::vector<std::vector<std::vector<double>>> calibrated;  ///< of each; empty where one names no head
};

/// As `sum_log_probabilities` for several calibrations, sharing layers as `run_each` does.
[[nodiscard]] text_log_probabilities_of_each sum_log_probabilities_of_each(
    const model& model, std::span<const std::vector<scored_text>> families,
    std::span<const model_calibration> calibrations);

/// Sees the sums of a pass, [family][text], as soon as it has run; numbers and interruption as
/// `each_pass_seen` has them.
using each_sums_seen =
    std::function<void(std::span<const std::size_t> numbers, const std::vector<std::vector<double>>& sums)>;

/// As above, pass by pass; a calibration that names no head is none.
void sum_log_probabilities_of_each(const model& model, std::span<const std::vector<scored_text>> families,
                                   std::span<const model_calibration> calibrations,
                                   const each_sums_seen& seen);

}  // namespace act::runtime
