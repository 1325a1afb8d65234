// How programs begin (programs/begin.hpp). Threads of a program that wait leave their core to others, unless
// its user wants it otherwise. How OpenMP was told to let them wait, it prints itself.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "examples/environment.hpp"
#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"
#include "temporary_folder.hpp"

namespace {

using act_test::environment_variable;
using act_test::run_program;

constexpr std::initializer_list<const char*> programs = {"act-eval", "act-generate", "act-inspect",
                                                         "act-search"};

// The value of an OpenMP setting when the program began for the last time; empty where it wasn't printed.
std::string last_setting(const std::string& printed, const std::string& name) {
  const std::size_t at = printed.rfind(name + " = '");   // GNU's
  const std::size_t other = printed.rfind(name + "='");  // LLVM's
  const std::size_t found = at != std::string::npos ? at : other;
  if (found == std::string::npos) return {};
  const std::size_t begin = printed.find('\'', found) + 1;
  return printed.substr(begin, printed.find('\'', begin) - begin);
}

std::size_t begun(std::string_view printed) {
  constexpr std::string_view mark = "OPENMP DISPLAY ENVIRONMENT BEGIN";
  std::size_t times = 0;
  for (std::size_t at = printed.find(mark); at != std::string_view::npos; at = printed.find(mark, at + 1))
    ++times;
  return times;
}

struct shown {
  act_test::process_result run;
  std::string settings;
};

shown show_settings(const char* program, const char* option) {
  const environment_variable display("OMP_DISPLAY_ENV", "verbose");
  shown made{.run = run_program(program, {option}), .settings = {}};
  made.settings = made.run.err + made.run.out;
  return made;
}

}  // namespace

TEST_CASE("threads of the programs wait passively") {
  const act_test::nothing_about_waiting clear;
  for (const char* program : programs) {
    CAPTURE(program);
    for (const char* option : {"--version", "--help"}) {
      const shown made = show_settings(program, option);
      CAPTURE(made.settings);
      CHECK(made.run.exit_code == 0);
      if (begun(made.settings) == 0) {
        MESSAGE("[skipped] no OpenMP, or one that prints nothing before it is needed (LLVM's)");
        return;
      }
      CHECK(last_setting(made.settings, "OMP_WAIT_POLICY") == "PASSIVE");
      const std::string spins = last_setting(made.settings, "GOMP_SPINCOUNT");
      const std::string block_time = last_setting(made.settings, "KMP_BLOCKTIME");
      CHECK((spins == "2000" || block_time == "0"));
    }
  }
}

TEST_CASE("what a user says about waiting is left alone") {
  const act_test::nothing_about_waiting clear;
  for (const char* program : programs) {
    CAPTURE(program);
    for (const auto& [variable, value] :
         {std::pair("OMP_WAIT_POLICY", "active"), std::pair("GOMP_SPINCOUNT", "7"),
          std::pair("KMP_BLOCKTIME", "7")}) {
      const std::string name = variable;
      CAPTURE(name);
      const environment_variable said(variable, value);
      const shown made = show_settings(program, "--version");
      CAPTURE(made.settings);
      CHECK(made.run.exit_code == 0);
      CHECK(begun(made.settings) <= 1);
      const std::string policy = last_setting(made.settings, "OMP_WAIT_POLICY");
      if (std::string(name) == "OMP_WAIT_POLICY" && !policy.empty()) CHECK(policy == "ACTIVE");
    }
  }
}

TEST_CASE("a program that begins anew is the same program with the same arguments") {
  const act_test::nothing_about_waiting clear;
  for (const char* program : programs) {
    CAPTURE(program);
    CHECK(run_program(program, {"--help"}).out.find("\nUsage: " + std::string(program) + " ") !=
          std::string::npos);
    CHECK(run_program(program, {"--no-such-option"}).exit_code == 2);
    const auto missing = run_program(program, {"--model", "no such file", "--threads", "70000"});
    CHECK(missing.exit_code == 2);
    CHECK(missing.err.find("--threads") != std::string::npos);
  }
  act_test::check_one_line(run_program("act-generate", {"--model", "no such file", "--prompt", "two words"}),
                           1, "no such file");
}

TEST_CASE("a program begins anew as the build for this processor, where there is one") {
  const act_test::temporary_folder folder;
  namespace fs = std::filesystem;
  const fs::path bin = fs::path(folder / "prefix") / "bin",
                 builds = fs::path(folder / "prefix") / "libexec" / "act";
  fs::create_directories(bin);
  fs::copy_file(fs::path(ACT_TEST_PROGRAMS) / "act-eval", bin / "act-eval");
  const auto installed = [&] { return run_program((bin / "act-eval").string(), {"--version", "two words"}); };
  const act_test::process_result alone = installed();
  CHECK(alone.exit_code == 0);

  // Scripts stand for builds: they say which one runs, and with what.
  const auto install = [&](const std::string& level, bool runnable) {
    fs::create_directories(builds / level);
    const fs::path build = builds / level / "act-eval";
    std::ofstream(build) << "#!/bin/sh\necho " << level << " \"$@\"\n";
    fs::permissions(build, fs::perms::owner_exec,
                    runnable ? fs::perm_options::add : fs::perm_options::remove);
  };
  install("x86-64-v5", true);  // no level that is known
  CHECK(installed().out == alone.out);
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    MESSAGE("[skipped] this processor has no level above the first");
    return;
  }
  install("x86-64-v3", false);
  CHECK(installed().out == alone.out);
  install("x86-64-v3", true);
  CHECK(installed().out == "x86-64-v3 --version two words\n");
  install("x86-64-v4", true);
  const bool v4 = __builtin_cpu_supports("avx512f");
  CHECK(installed().out.starts_with(v4 ? "x86-64-v4 --version" : "x86-64-v3 --version"));
#endif
}
