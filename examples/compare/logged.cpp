#include "compare/logged.hpp"

#include <act/error.hpp>
#include <act/report/predictions/logged_comparison.hpp>
#include <act/report/predictions/logged_samples.hpp>
#include <act/report/provenance.hpp>

#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "programs/command_line.hpp"
#include "programs/files.hpp"
#include "programs/program.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

struct logged_options {
  common_options common;  // but for --json none of it is declared
  std::vector<std::string> runs;
  act::report::logged_choice a, b;
  double rate = 0.05;
  std::uint64_t seed = 0;
};

void run(const command_line& line, const logged_options& options) {
  const act::report::provenance_clock clock;
  if (options.runs.size() != 2) {
    throw act::error(act::error_code::invalid_option, "act-compare",
                     "compares two runs: act-compare A.jsonl B.jsonl, or two folders");
  }
  if (!(options.rate > 0 && options.rate < 1))
    throw act::error(act::error_code::invalid_option, "--fdr", "must be between 0 and 1");
  check_outputs({{"--json", options.common.json}}, options.runs);
  const act::report::logged_comparison made = act::report::compare_logged(
      act::report::read_logged_runs(options.runs[0], options.a),
      act::report::read_logged_runs(options.runs[1], options.b), options.rate, options.seed);
  std::cout << "A: " << options.runs[0] << "\nB: " << options.runs[1] << "\n\n"
            << act::report::comparison_text(made);
  if (!options.common.json.empty())
    write_result(options.common.json, act::report::comparison_json(made), line, clock);
}

}  // namespace

bool compares_files(int count, char** arguments) {
  return count > 1 && arguments[1][0] != '-';
}

int compare_files(int count, char** arguments) {
  command_line line(
      "Two runs over the same samples, from files: act-eval's predictions, or lm-eval's --log_samples.",
      "act-compare");
  logged_options options;
  line.add("runs", options.runs, "Two files, or two folders of samples_TASK.jsonl, a task each")
      .value_name("A B");
  line.add("--metric", options.a.metric,
           "What says right: lm-eval's metric (default: acc, else exact_match, else the first), or baseline "
           "or "
           "calibrated of act-eval's predictions (default: calibrated, where there is one)")
      .value_name("NAME");
  const command_option metric_b =
      line.add("--metric-b", options.b.metric, "The same for B only").value_name("NAME");
  line.add("--filter", options.a.filter, "lm-eval's, where lines have several (default: the first line's)")
      .value_name("NAME");
  line.add("--fdr", options.rate, "False discovery rate over many tasks").value_name("RATE").show_default();
  line.add("--seed", options.seed, "Chooses the resamples of intervals (default: 0)").value_name("S");
  line.add("--json", options.common.json, "Write the result as JSON too; -: to standard output")
      .value_name("FILE");
  line.footer(
      "Examples:\n"
      "  act-compare plain/samples_arc_easy.jsonl calibrated/samples_arc_easy.jsonl\n"
      "  act-compare predictions.jsonl predictions.jsonl --metric baseline --metric-b calibrated\n"
      "  act-compare plain/ calibrated/ --fdr 0.1 --json result.json\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage.");
  return run_program(line, options.common, count, arguments, [&] {
    options.b.filter = options.a.filter;
    if (!metric_b.given()) options.b.metric = options.a.metric;
    run(line, options);
  });
}

}  // namespace act_program
