// What greedy decoding of one token says of a few answers: the largest logit among each answer's tokens, and
// the largest of every other token of the vocabulary. For scoring (tasks/last_position.hpp) and the head
// search; the logits of given words alone are label_logits.hpp, which is much cheaper.
#pragma once

#include <act/runtime/forward.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/scored_text.hpp>

#include <span>
#include <vector>

namespace act::runtime {

/// scores[i] = the largest logit among answers[i][a] for each answer a, then the largest logit of any other
/// token of the output matrix: the greedy token is the answer with the largest number, the last number being
/// "none of them". `hidden` is what `final_hidden` returned, one row a prompt. Preconditions: every answer
/// has a token, every token is in the vocabulary. Memory is a block's logits (`logits_in_blocks`) a row and
/// thread. Threads don't change a bit; other prompts in the batch change no more than rounding. Cost: 2 rows
/// x vocabulary x width flops. Throws `error` (invalid_input) for a logit that isn't finite.
[[nodiscard]] std::vector<std::vector<double>> greedy_logits(const model& model, const matrix& hidden,
                                                             std::span<const answer_tokens* const> answers);

}  // namespace act::runtime
