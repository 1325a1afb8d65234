#include "programs/generation_heads.hpp"

#include <act/error.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/search/heads_file.hpp>

#include <iostream>
#include <optional>
#include <string>

#include "programs/flags.hpp"
#include "programs/result_file.hpp"

namespace act_program {

act::tasks::named_calibration calibrated_by(const calibration_flags& flags, const std::string& path,
                                            const std::optional<act::search::heads_file>& heads) {
  if (!heads) flags.refuse_without_heads();
  const act::tasks::named_calibration named = flags.over(heads);
  if (named.subset) {
    throw act::error(act::error_code::invalid_option, flags.part_from(named.options, path),
                     "is for the tasks of act-eval and act-search, whose prompts have parts; use another " +
                         std::string(flag_names_for(named.options).redistribution));
  }
  return named;
}

act::runtime::model_calibration calibration_for(const act::runtime::model& model,
                                                const calibration_flags& flags, const std::string& path,
                                                const std::optional<act::search::heads_file>& heads,
                                                const heads_use& use) {
  act::runtime::model_calibration calibration;
  const act::tasks::named_calibration named = calibrated_by(flags, path, heads);
  calibration.options = named.options;
  calibration.masks = named.masks;
  if (!heads) return calibration;
  calibration.strengths = act::search::strengths_under(*heads, named, path);
  const act::runtime::model_identity identity = act::runtime::identity_of(model);
  const act::search::fingerprint_check fit =
      act::search::check_fit(*heads, identity, path, use.force, "--force");
  if (fit == act::search::fingerprint_check::absent && !use.quiet)
    std::cerr << use.program << ": " << path << ": has no fingerprint, so it may be another model's\n";
  if (!use.quiet) say_other_compute(use.program, path, heads->model, identity);
  calibration.heads = heads->heads;
  return calibration;
}

}  // namespace act_program
