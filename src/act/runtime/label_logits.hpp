// Logits of a few words at each prompt's last position: the only rows of the output matrix that scoring
// needs.
#pragma once

#include <act/runtime/forward.hpp>
#include <act/runtime/model.hpp>

#include <span>
#include <vector>

namespace act::runtime {

/// scores[i][w] = logit of words[i][w] at prompt i's last position. `hidden` is what `final_hidden` returned,
/// one row a prompt. Each distinct word of the batch is expanded once. Throws `error` (invalid_input) for a
/// logit that isn't finite: nothing could be ranked by it.
[[nodiscard]] std::vector<std::vector<double>> label_logits(const model& model, const matrix& hidden,
                                                            std::span<const std::span<const token_id>> words);

}  // namespace act::runtime
