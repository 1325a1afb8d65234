// Predictions in the form of lm-eval's --log_samples, for what reads that: a line a sample, a file a run.
#pragma once

#include <act/tasks/prepared_sample.hpp>

#include <span>
#include <string>

namespace act::runtime {
class tokenizer;
}

namespace act::report {

/// A sample's line: doc_id is its index in the data file, the prompt and each answer are the arguments, resps
/// the answers' scores: log-likelihoods where the options' own are scored, as lm-eval has them, else logits;
/// acc whether it was right, by act's scores, which are those for each byte. `scores` are a row of
/// tasks::sample_scores, with greedy scoring the other tokens' last. Without doc_hash: lm-eval's is of its
/// own data set's row, which act doesn't have.
[[nodiscard]] std::string lm_eval_line(const tasks::prepared_sample& sample, std::span<const double> scores,
                                       const runtime::tokenizer& by);

}  // namespace act::report
