// What the build knows of these programs: the one place that a commit compiles again.
#pragma once

#include <act/report/provenance.hpp>

namespace act_program {

/// The revision the programs were built from, and with which compiler flags.
[[nodiscard]] const act::report::build_record& built();

}  // namespace act_program
