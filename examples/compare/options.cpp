#include "compare/options.hpp"

#include "programs/command_line.hpp"
#include "programs/task_listing.hpp"

namespace act_program {

void declare(command_line& line, compare_options& options) {
  options.common.add_to(line);
  line.add("--task", options.task, "What the data is: sst2, trec, arce, jsonl ... (not squad)")
      .required()
      .value_name("NAME");
  add_task_listing(line);
  line.add("--data", options.data, "The task's data file").required().value_name("FILE");
  line.add("--limit", options.limit, "Score N samples, chosen by --seed, in file order; 0: all")
      .within(0, any_count)
      .value_name("N")
      .show_default();
  line.add("--seed", options.seed,
           "Chooses the samples of --limit and the resamples of intervals (default: 0)")
      .value_name("S");
  line.add("--heads", options.heads, "A heads file, calibrated as it says; repeat it for each to compare")
      .required()
      .value_name("FILE");
  line.add(
          "--state", options.state,
          "Keep what is scored here, pass by pass; the same command goes on from it, and one with more heads "
          "files runs what these add (docs/rivals.md)")
      .value_name("FILE");
  line.add_flag("--maps", options.maps,
                "Also what the same labelled samples that heads were found on can do for the scores alone: a "
                "bias and a "
                "linear map, on top of plain scores and of each heads file");
  line.add_flag("--include-search-samples", options.include_search_samples,
                "Score also the samples that heads were found on");
  line.add_flag("--force", options.force, "Use heads that were found for another checkpoint");
  options.scoring.add_to(line);
  line.footer(
      "Samples that any of the heads were found on are left out for all. Maps are fitted on the file that "
      "the heads file\n"
      "names in its evidence, so run where the search was run.\n"
      "Without a model, two runs from files are compared: act-compare A.jsonl B.jsonl (--help behind them "
      "has more).\n"
      "Examples:\n"
      "  act-compare --model M.gguf --task sst2 --data dev.tsv --heads paper.json --heads top.json\n"
      "  act-compare --model M.gguf --task trec --data test.txt --heads heads.json --maps --json "
      "result.json\n"
      "  act-compare --model M.gguf --task sst2 --data dev.tsv --heads paper.json --heads top.json --state "
      "compare.state\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted.");
}

}  // namespace act_program
