// Where a result comes from: the program, the machine, the moment and the options. Part of every JSON result,
// so that a number can be made again.
#pragma once

#include <act/io/json_document.hpp>

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <string>

namespace act::report {

/// What only the build knows of a program.
struct build_record {
  std::string revision = "unknown";  ///< of the sources
  std::string flags = "unknown";     ///< the compiler was given
};

/// "gcc 12.2.0", "clang 14.0.6" and the like.
[[nodiscard]] std::string compiler_name();

/// The processor's name out of the text of Linux's /proc/cpuinfo; "unknown" where it has none.
[[nodiscard]] std::string cpu_model(std::istream& cpuinfo);

/// A moment in UTC, ISO 8601: "2024-05-01T12:30:00Z".
[[nodiscard]] std::string format_date(std::chrono::system_clock::time_point moment);

struct provenance {
  std::string version, revision, compiler, flags, cpu;
  std::size_t threads = 1;
  std::string date;    ///< of the start, UTC
  double seconds = 0;  ///< wall time from start to result
};

/// Knows when the program started; make one first of all.
class provenance_clock {
 public:
  /// Everything known here and now.
  [[nodiscard]] provenance stamp(const build_record& built) const;

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::system_clock::time_point date_ = std::chrono::system_clock::now();
};

/// Which program on which machine: all that is the same for every run of it.
[[nodiscard]] io::json_document program_json(const provenance& of);

/// `options`: every option in force, by its command-line name.
[[nodiscard]] io::json_document to_json(const provenance& of, io::json_document options);

}  // namespace act::report
