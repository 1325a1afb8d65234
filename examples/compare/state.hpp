// act-compare's --state: what of it has to be the same when a comparison goes on.
#pragma once

#include <act/tasks/stored/score_state.hpp>

#include <optional>
#include <string>

namespace act::runtime {
struct model_identity;
}

namespace act_program {

/// Opens the state of scores of this model by this build of the program; none where `path` is empty. Results
/// name one build, so another's scores aren't gone on with: throws act::error as score_state does.
[[nodiscard]] std::optional<act::tasks::score_state> open_state(const std::string& path,
                                                                const act::runtime::model_identity& model);

}  // namespace act_program
