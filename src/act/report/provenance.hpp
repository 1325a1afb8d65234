// Where a result comes from: the program, the machine, the moment and the options. Part of every JSON result,
// so that a number can be made again. The build defines ACT_GIT_REVISION and ACT_COMPILER_FLAGS as strings
// for its programs.
#pragma once

#include <act/parallel.hpp>
#include <act/version.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <ctime>
#include <fstream>
#include <istream>
#include <string>
#include <utility>

namespace act::report {

#ifdef ACT_GIT_REVISION
inline constexpr const char* git_revision = ACT_GIT_REVISION;
#else
inline constexpr const char* git_revision = "unknown";
#endif
#ifdef ACT_COMPILER_FLAGS
inline constexpr const char* compiler_flags = ACT_COMPILER_FLAGS;
#else
inline constexpr const char* compiler_flags = "unknown";
#endif

/// "gcc 12.2.0", "clang 14.0.6" and the like.
[[nodiscard]] inline std::string compiler_name() {
#if defined(__clang__)
  return "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__) + "." +
         std::to_string(__clang_patchlevel__);
#elif defined(__GNUC__)
  return "gcc " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__) + "." +
         std::to_string(__GNUC_PATCHLEVEL__);
#else
  return "unknown";
#endif
}

/// The processor's name out of the text of Linux's /proc/cpuinfo; "unknown" where it has none.
[[nodiscard]] inline std::string cpu_model(std::istream& cpuinfo) {
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.starts_with("model name") && line.find(": ") != std::string::npos) {
      return line.substr(line.find(": ") + 2);
    }
  }
  return "unknown";
}

/// A moment in UTC, ISO 8601: "2024-05-01T12:30:00Z".
[[nodiscard]] inline std::string format_date(std::chrono::system_clock::time_point moment) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(moment);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(text, length);
}

struct provenance {
  std::string version, revision, compiler, flags, cpu;
  std::size_t threads = 1;
  std::string date;                ///< of the start, UTC
  nlohmann::ordered_json options;  ///< every option in force, by its command-line name
  double seconds = 0;              ///< wall time from start to result
};

/// Knows when the program started; make one first of all.
class provenance_clock {
 public:
  /// Everything known here and now. `options`: every option in force, by its command-line name.
  [[nodiscard]] provenance stamp(nlohmann::ordered_json options) const {
    std::ifstream cpuinfo("/proc/cpuinfo");
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    return {ACT_VERSION_STRING, git_revision,       compiler_name(),    compiler_flags, cpu_model(cpuinfo),
            thread_count(),     format_date(date_), std::move(options), passed.count()};
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::system_clock::time_point date_ = std::chrono::system_clock::now();
};

[[nodiscard]] inline nlohmann::ordered_json to_json(const provenance& of) {
  return {{"version", of.version}, {"revision", of.revision}, {"compiler", of.compiler},
          {"flags", of.flags},     {"cpu", of.cpu},           {"threads", of.threads},
          {"date", of.date},       {"options", of.options},   {"seconds", of.seconds}};
}

}  // namespace act::report
