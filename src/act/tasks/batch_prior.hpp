// Batch calibration (Zhou et al. 2024, "Batch Calibration: Rethinking Calibration for In-Context Learning and
// Prompt Engineering"): the label prior is what the model says of the scored samples on the mean. For
// act-eval, beside contextual_prior.hpp and domain_prior.hpp; no prompt is run for it.
#pragma once

#include <act/statistics/auc.hpp>

namespace act::tasks {

/// Each score less the mean log-probability of its answer (a softmax over a sample's scores) over the samples
/// that have so many answers. No label is looked at, but all samples are: what comes out depends on which are
/// scored together.
[[nodiscard]] statistics::score_table less_batch_prior(const statistics::score_table& scores);

}  // namespace act::tasks
