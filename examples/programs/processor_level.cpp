#include "programs/processor_level.hpp"

#include <unistd.h>

#include <filesystem>
#include <string_view>
#include <vector>

namespace act_program {
namespace {

// Those that this processor has, the highest one first.
std::vector<std::string_view> levels() {
  std::vector<std::string_view> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  if (v4) found.push_back("x86-64-v4");
  if (v3) found.push_back("x86-64-v3");
#endif
  return found;
}

}  // namespace

std::filesystem::path fitting_build(const std::filesystem::path& program) {
  const std::filesystem::path folder = program.parent_path();
  if (folder.filename() != "bin") return {};
  for (const std::string_view level : levels()) {
    std::filesystem::path build = folder.parent_path() / "libexec" / "act" / level / program.filename();
    if (::access(build.c_str(), X_OK) == 0) return build;
  }
  return {};
}

}  // namespace act_program
