// Builds of a program for what newer processors know, beside the one that all run: a distribution's package
// is then as fast as a build for the machine. -DACT_PROGRAM_LEVELS="x86-64-v3;x86-64-v4" installs them.
#pragma once

#include <filesystem>

namespace act_program {

/// The build of `program` (PREFIX/bin/NAME) for the highest level of this processor that is installed, in
/// PREFIX/libexec/act/LEVEL/NAME; empty where there is none, or where `program` is one itself. Levels are the
/// x86-64 psABI's.
[[nodiscard]] std::filesystem::path fitting_build(const std::filesystem::path& program);

}  // namespace act_program
