#include "programs/program.hpp"

#include <act/error.hpp>
#include <act/report/progress.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/products/profile.hpp>
#include <act/version.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <optional>
#include <string>

#include "programs/build_record.hpp"
#include "programs/command_line.hpp"
#include "programs/exit_codes.hpp"
#include "programs/profile_table.hpp"

namespace act_program {

void common_options::add_to(command_line& line) {
  add_model_to(line);
  add_running_to(line);
}

void common_options::add_model_to(command_line& line) {
  line.add("--model", model,
           "A GGUF file (of a split model the first), or a Hugging Face folder (config.json, *.safetensors "
           "or *.bin, tokenizer files)")
      .required()
      .value_name("PATH");
  line.add("--compute", compute,
           "In what numbers products with weights are computed: f32, bf16 (twice as fast on processors with "
           "AVX512-BF16) or int8 (activations and weights in 8 bits, blocks of 32); recorded in results "
           "(docs/compute.md)")
      .one_of({"f32", "bf16", "int8"})
      .value_name("TYPE")
      .show_default();
}

void common_options::add_threads_to(command_line& line) {
  line.add("--threads", threads, "Threads to use; 0: all cores")
      .value_name("N")
      .within(0, 4096)
      .show_default();
}

void common_options::add_running_to(command_line& line) {
  add_threads_to(line);
  line.add_flag(
      "--profile", profile,
      "At the end, on stderr: where the model's time went, with GFLOP/s and GB/s of each operation");
  line.add_flag("--quiet", quiet, "Print results only: no progress, no remarks");
  line.add("--progress-every", progress_every,
           "Where stderr is no terminal: a line of progress every so many seconds; 0: none")
      .value_name("SECONDS")
      .show_default();
  line.add("--json", json,
           "Write the result as JSON too; -: to standard output, and what is printed for people to stderr")
      .value_name("FILE");
}

act::runtime::compute_type common_options::compute_type() const {
  return act::runtime::compute_type_named(compute).value_or(act::runtime::compute_type::f32);
}

namespace {

// While there is one, what is printed goes to stderr: standard output is for the JSON alone.
class printed_to_stderr {
 public:
  printed_to_stderr() : before_(std::cout.rdbuf(std::cerr.rdbuf())) {}
  printed_to_stderr(const printed_to_stderr&) = delete;
  printed_to_stderr& operator=(const printed_to_stderr&) = delete;
  ~printed_to_stderr() { std::cout.rdbuf(before_); }

 private:
  std::streambuf* before_;
};

}  // namespace

int run_program(command_line& line, common_options& options, int count, char** arguments,
                const std::function<void()>& work) {
  const auto fails = [&](int code, const char* why) {
    std::fprintf(stderr, "%s: %s\n", line.name().c_str(), why);
    return code;
  };
  const auto done =
      line.parse(count, arguments, std::string(ACT_VERSION_STRING) + " (" + built().revision + ")");
  if (!done) listen_for_interruption();
  try {
    std::optional<printed_to_stderr> elsewhere;
    if (!done) {
      if (!(options.progress_every >= 0 && options.progress_every <= 1e9))
        throw act::error(act::error_code::invalid_option, "--progress-every",
                         "must be 0 (none) or more seconds");
      act::report::set_seconds_between_lines(options.progress_every);
      if (options.json == "-") {
        elsewhere.emplace();
        options.json = "/dev/stdout";
      }
      const bool profiled = line.given("--profile");
      if (profiled) act::runtime::start_profile();
      work();
      if (profiled) std::fputs(profile_table(act::runtime::current_profile()).c_str(), stderr);
    }
    stop_if_not_printed();
    return done.value_or(exit_done);
  } catch (const interrupted& stopped) {
    return fails(exit_interrupted, stopped.what());
  } catch (const act::error& problem) {
    // An option's value that can't be is usage, like one that doesn't parse.
    return fails(problem.code() == act::error_code::invalid_option ? exit_wrong_usage : exit_bad_input,
                 problem.what());
  } catch (const std::bad_alloc&) {
    return fails(exit_bad_input, "out of memory; use a smaller model or fewer samples");
  } catch (const std::exception& problem) {
    return fails(exit_bad_input, problem.what());
  }
}

namespace {

std::atomic<bool> interruption_requested{false};

}  // namespace

void listen_for_interruption() {
  interruption_requested = false;
  struct sigaction action {};
  action.sa_handler = [](int) { interruption_requested = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void stop_if_interrupted() {
  if (interruption_requested) throw interrupted();
}

void stop_if_not_printed() {
  // The device says it only when it is written to.
  if (!std::cout.flush() || std::fflush(stdout) != 0) {
    throw act::error(act::error_code::io, "standard output",
                     "can't be written; check the disk, or what it is redirected to");
  }
}

}  // namespace act_program
