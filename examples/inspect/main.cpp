// act-inspect: where a model's attention sinks are, on one prompt or over a data set.
#include <act/parallel.hpp>

#include "inspect/inspection.hpp"
#include "inspect/options.hpp"
#include "inspect/predictability.hpp"
#include "programs/begin.hpp"
#include "programs/command_line.hpp"
#include "programs/files.hpp"
#include "programs/program.hpp"

namespace {

using namespace act_program;

void run(const command_line& line, const inspect_options& options) {
  check_usage(line, options);
  check_outputs(
      {{"--json", options.common.json}, {"--html", options.html}},
      {options.common.model, options.data, options.prompt_file, options.predictability, options.heads});
  make_folder(options.svg, "--svg");
  act::set_thread_count(options.common.threads);
  if (!options.predictability.empty()) {
    inspect_predictability(line, options);
  } else if (options.task.empty()) {
    inspect_prompt(line, options);
  } else {
    inspect_data(line, options);
  }
}

}  // namespace

int main(int count, char** arguments) {
  begin_program(arguments);
  command_line line("Where a model's attention sinks are: of every head, on one prompt or over a data set.",
                    "act-inspect");
  inspect_options options;
  declare(line, options);
  return run_program(line, options.common, count, arguments, [&] { run(line, options); });
}
