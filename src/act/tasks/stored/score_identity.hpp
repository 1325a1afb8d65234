// What a score depends on, as text: how heads are calibrated, and what the model is asked. For whoever keeps
// scores from one run to the next.
#pragma once

#include <act/tasks/prepared_sample.hpp>

#include <span>
#include <string>
#include <vector>

namespace act::runtime {
struct model_calibration;
}

namespace act::tasks {

/// One line that says which heads are calibrated and how: "plain" where none is. The same for calibrations
/// that do the same by the same options, whichever file they come from; which part of a prompt they take
/// stands in the samples' identities.
[[nodiscard]] std::string pass_identity(const runtime::model_calibration& calibration);

/// Of each sample of a batch (score_samples.hpp) 64 hexadecimal digits: the same where the tokens are the
/// same and what is scored of them, and with `with_part` the part of the prompt. Not its label nor its place
/// in a file. In a batch of a few samples, whose products depend on what else is in it (product.hpp), also
/// where the whole batch is the same.
[[nodiscard]] std::vector<std::string> sample_identities(std::span<const prepared_sample> batch,
                                                         bool with_part);

}  // namespace act::tasks
