// act-generate: text from a model, plain or with calibrated heads, as it comes.
#include <act/io/text_file.hpp>
#include <act/parallel.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/cache_policy.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/search/heads_file.hpp>
#include <act/tasks/mt_bench.hpp>

#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "generate/dialogue.hpp"
#include "generate/logits.hpp"
#include "generate/mt_bench.hpp"
#include "generate/options.hpp"
#include "generate/text.hpp"
#include "programs/begin.hpp"
#include "programs/command_line.hpp"
#include "programs/files.hpp"
#include "programs/generation_heads.hpp"
#include "programs/open_model.hpp"
#include "programs/program.hpp"
#include "programs/reference_cache.hpp"

namespace {

using namespace act_program;

void run(const command_line& line, generate_options& options) {
  const act::report::provenance_clock clock;
  unescape_stops(options);
  check_usage(options);
  options.generation.cache = act::runtime::parse_cache_policy(options.cache, "--cache");
  options.generation.stored = options.stored();
  check_outputs(
      {{"--json", options.common.json}, {"--answers", options.answers}, {"--logits", options.logits}},
      {options.common.model, options.mt_bench, options.prompt_file, options.heads, options.cache_text});
  act::set_thread_count(options.common.threads);
  std::optional<act::search::heads_file> heads;
  if (!options.heads.empty()) heads = act::search::read_heads_file(options.heads);
  (void)calibrated_by(options.calibration, options.heads,
                      heads);  // what can't be is noticed before the model is loaded
  if (options.tokens_given.count() > 0) {
    write_logits(line, options, clock, heads);
    return;
  }
  std::vector<act::tasks::mt_bench_question> questions;
  if (options.mt_bench_given.count() > 0) {
    questions = act::tasks::read_mt_bench(act::io::read_text_file(options.mt_bench));
  }
  const std::string asked =
      options.file_given.count() == 0 ? options.prompt : read_prompt_file(options.prompt_file).text;

  const act::runtime::loaded_model loaded = open_model(line, options.common);
  const std::string kept =
      fit_reference_cache(options.generation.cache, loaded, options.cache_text, options.common.quiet);
  if (!kept.empty() && !options.common.quiet) std::cerr << "act-generate: " << kept << '\n';
  const act::runtime::model_calibration calibration =
      calibration_for(loaded.model, options.calibration, options.heads, heads,
                      {.program = line.name(), .force = options.force, .quiet = options.common.quiet});
  if (!questions.empty()) {
    answer_mt_bench(line, options, clock, questions, loaded, calibration);
    return;
  }
  if (options.prompt_given.count() + options.file_given.count() == 0) {
    hold_conversation(line, options, clock, loaded, calibration);
    return;
  }
  write_text(line, options, clock, asked, loaded, calibration);
}

}  // namespace

int main(int count, char** arguments) {
  begin_program(arguments);
  command_line line("Text from a model, plain or with calibrated heads, as it comes.", "act-generate");
  generate_options options;
  declare(line, options);
  return run_program(line, options.common, count, arguments, [&] { run(line, options); });
}
