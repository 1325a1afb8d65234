#include <act/parallel.hpp>
#include <act/report/provenance.hpp>
#include <act/version.hpp>

#include <ctime>
#include <fstream>
#include <utility>

namespace act::report {

std::string compiler_name() {
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

std::string cpu_model(std::istream& cpuinfo) {
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.starts_with("model name") && line.find(": ") != std::string::npos) {
      return line.substr(line.find(": ") + 2);
    }
  }
  return "unknown";
}

std::string format_date(std::chrono::system_clock::time_point moment) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(moment);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(text, length);
}

provenance provenance_clock::stamp(const build_record& built) const {
  std::ifstream cpuinfo("/proc/cpuinfo");
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  return {ACT_VERSION_STRING, built.revision, compiler_name(),    built.flags,
          cpu_model(cpuinfo), thread_count(), format_date(date_), passed.count()};
}

io::json_document program_json(const provenance& of) {
  return io::json_document::object({{"version", of.version},
                                    {"revision", of.revision},
                                    {"compiler", of.compiler},
                                    {"flags", of.flags},
                                    {"cpu", of.cpu},
                                    {"threads", of.threads}});
}

io::json_document to_json(const provenance& of, io::json_document options) {
  io::json_document document = program_json(of);
  document.set("date", of.date);
  document.set("options", std::move(options));
  document.set("seconds", of.seconds);
  return document;
}

}  // namespace act::report
