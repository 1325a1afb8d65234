#include "generate/calibration.hpp"

#include <act/error.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/forward.hpp>
#include <act/search/heads_file.hpp>

#include <iostream>

#include "generate/options.hpp"

namespace act_program {

act::calibration_options calibrated_by(const generate_options& options,
                                       const std::optional<act::search::heads_file>& heads) {
  const act::tasks::named_calibration named = options.calibration.over(heads);
  if (named.subset) {
    throw act::error(
        act::error_code::invalid_option,
        options.calibration.subset_given() ? "--subset" : options.heads + ": options.subset",
        "is for the tasks of act-eval and act-search, whose prompts have a question; use another "
        "--redistribution");
  }
  return named.options;
}

act::runtime::model_calibration calibration_for(const act::runtime::model& model,
                                                const generate_options& options,
                                                const std::optional<act::search::heads_file>& heads) {
  act::runtime::model_calibration calibration;
  calibration.options = calibrated_by(options, heads);
  if (!heads) return calibration;
  const act::search::fingerprint_check fit = act::search::check_fit(*heads, act::runtime::identity_of(model),
                                                                    options.heads, options.force, "--force");
  if (fit == act::search::fingerprint_check::absent && !options.common.quiet) {
    std::cerr << "act-generate: " << options.heads << ": has no fingerprint, so it may be another model's\n";
  }
  calibration.heads = heads->heads;
  return calibration;
}

}  // namespace act_program
