// Contextual calibration (Zhao et al. 2021), the baseline that ACT is compared with: the label prior is what
// the model says to the same prompt without content; each score less the score there. It moves the labels'
// threshold and nothing else. Only the sample without content is made here; scoring it is as for any other.
#pragma once

#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <string>

namespace act::tasks {

/// The sample with every text that is its own emptied: the pattern's fields, and the options' texts where
/// they only stand in the prompt (lettered). Fields that the instruction names (mmlu's subject) stay, and so
/// do options whose own likelihood is scored: pass `keep_options` then. Two samples of a task with equally
/// many options come out equal but for what stays, so their scores can be computed once. A file of one's own
/// gives its "prior_prompt". Throws error (unsupported) for open-ended tasks and for a sample without
/// "prior_prompt", by the name of its `file`, if given.
[[nodiscard]] sample content_free(const task& of, sample emptied, bool keep_options = false,
                                  const std::string& file = {});

}  // namespace act::tasks
