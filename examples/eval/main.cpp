// act-eval: a task's accuracy and AUC, plain and calibrated, with their uncertainty; generated answers' exact
// match and F1; a text's perplexity; or, of a suite file, all that it lists.
#include <act/parallel.hpp>
#include <act/tasks/task.hpp>

#include "eval/cached_samples.hpp"
#include "eval/options.hpp"
#include "eval/perplexity.hpp"
#include "eval/questions.hpp"
#include "eval/samples.hpp"
#include "eval/suite.hpp"
#include "programs/begin.hpp"
#include "programs/command_line.hpp"
#include "programs/files.hpp"
#include "programs/program.hpp"

namespace {

using namespace act_program;

void run(const command_line& line, const eval_options& options) {
  check_usage(line, options);
  check_outputs({{"--json", options.common.json}, {"--predictions", options.predictions}},
                {options.common.model, options.data, options.heads, options.shot_data, options.cache_text});
  act::set_thread_count(options.common.threads);
  if (options.task == perplexity_task) {
    evaluate_perplexity(line, options);
    return;
  }
  const act::tasks::task task = options.scoring.final_space.applied_to(act::tasks::find_task(options.task));
  if (task.kind == act::tasks::task_kind::open_ended) {
    evaluate_questions(line, task, options);
  } else if (!options.cache.empty()) {
    evaluate_cached_samples(line, task, options);
  } else {
    evaluate_samples(line, task, options);
  }
}

}  // namespace

int main(int count, char** arguments) {
  begin_program(arguments);
  if (names_a_suite(count, arguments)) return evaluate_suite(count, arguments);
  command_line line(
      "Accuracy and AUC of a task, plain and calibrated, with their uncertainty; of generated answers exact "
      "match and F1; of a text the perplexity.",
      "act-eval");
  eval_options options;
  declare(line, options);
  return run_program(line, options.common, count, arguments, [&] { run(line, options); });
}
