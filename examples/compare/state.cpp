#include "compare/state.hpp"

#include <act/report/provenance.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/runtime/products/kernel_table.hpp>
#include <act/version.hpp>

#include "programs/build_record.hpp"

namespace act_program {

std::optional<act::tasks::score_state> open_state(const std::string& path,
                                                  const act::runtime::model_identity& model) {
  if (path.empty()) return std::nullopt;
  return act::tasks::score_state(path,
                                 {{"model (fingerprint)", model.fingerprint},
                                  {"--compute", model.compute.empty() ? "f32" : model.compute},
                                  {"version of act", ACT_VERSION_STRING},
                                  {"revision of act", built().revision},
                                  {"compiler", act::report::compiler_name()},
                                  {"build (compiler flags)", built().flags},
                                  {"processor (kernels)", act::runtime::kernels().name}},
                                 "--state");
}

}  // namespace act_program
