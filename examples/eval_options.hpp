// act-eval's command line: what can be asked, and which questions don't fit together.
#pragma once

#include <act/tasks/task.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

#include "program.hpp"

namespace act_program {

/// The task that isn't one of samples: perplexity of a text.
inline constexpr const char* perplexity_task = "ppl";

struct eval_options {
  common_options common;
  calibration_flags calibration;
  scoring_flags scoring;
  std::string task;
  std::string data;
  std::int64_t limit = 0;
  std::uint64_t seed = 0;
  std::size_t shots = 0;
  std::string shot_data;
  std::size_t shot_seeds = 5;
  std::string prior = "none";
  std::size_t max_new_tokens = 32;
  std::size_t context = 0;  ///< 0: the model's
  std::size_t stride = 0;   ///< 0: half of the context
  std::string heads;
  std::string predictions;
  bool include_search_samples = false;
  bool force = false;
};

inline void declare(CLI::App& app, eval_options& options) {
  options.common.add_to(app);
  app.add_option("--task", options.task,
                 "What the data is: sst2, sst5, mr, subj, trec, boolq, arce, jsonl ..., squad (generated "
                 "answers), or ppl (perplexity of a text)")
      ->required()
      ->type_name("NAME");
  app.add_option("--data", options.data, "The task's data file")->required()->type_name("FILE");
  app.add_option("--limit", options.limit, "Score N samples, chosen by --seed, in file order (default: all)")
      ->type_name("N");
  app.add_option("--seed", options.seed,
                 "Chooses the samples of --limit and the resamples of intervals (default: 0)")
      ->type_name("S");
  app.add_option("--heads", options.heads,
                 "Heads to calibrate, as act-search wrote them; without it, plain only")
      ->type_name("FILE");
  app.add_option("--predictions", options.predictions, "Write a JSON line for each sample")
      ->type_name("FILE");
  app.add_flag("--include-search-samples", options.include_search_samples,
               "Score also the samples that the heads were found on");
  app.add_flag("--force", options.force, "Use heads that were found for another checkpoint");
  options.scoring.add_to(app);
  app.add_option(
         "--prior", options.prior,
         "contextual: also the plain scores less the label prior (those of the prompt without its text)")
      ->check(CLI::IsMember({"none", "contextual"}))
      ->capture_default_str();

  const std::string few_shot = "Few-shot";
  CLI::Option* shots = app.add_option("--shots", options.shots, "Examples shown before each sample")
                           ->check(CLI::PositiveNumber)
                           ->type_name("K")
                           ->group(few_shot);
  app.add_option("--shot-data", options.shot_data,
                 "Where they come from: a training file (mmlu: a folder with the subjects' _dev.csv; "
                 "squad: none, they are the paragraph's other questions)")
      ->needs(shots)
      ->type_name("FILE")
      ->group(few_shot);
  app.add_option("--shot-seeds", options.shot_seeds,
                 "Runs with other shots, seeds 0, 42, 84 ...; results are the mean (default: 5)")
      ->needs(shots)
      ->check(CLI::Range(1, 1000))
      ->type_name("N")
      ->group(few_shot);

  app.add_option("--max-new-tokens", options.max_new_tokens,
                 "Tokens that an answer may have; it ends at the first newline (default: 32)")
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("N")
      ->group("Generated answers (--task squad)");

  const std::string perplexity = "Perplexity (--task ppl)";
  app.add_option("--context", options.context, "Tokens of a window (default: the model's context)")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->group(perplexity);
  app.add_option("--stride", options.stride, "Tokens from window to window (default: half of the context)")
      ->check(CLI::PositiveNumber)
      ->type_name("S")
      ->group(perplexity);
  options.calibration.add_to(app);
  app.footer(
      "Examples:\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --limit 200\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --heads heads.json --json result.json\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --shots 4 --shot-data train.tsv\n"
      "  act-eval --model M.gguf --task trec --data test.txt --heads heads.json --prior contextual\n"
      "  act-eval --model M.gguf --task arce --data test.jsonl --scoring likelihood\n"
      "  act-eval --model M.gguf --task arce --data test.jsonl --scoring greedy\n"
      "  act-eval --model M.gguf --task arce --data test.jsonl --heads heads.json --redistribution subset "
      "--subset choices\n"
      "  act-eval --model M.gguf --task squad --data dev-v2.0.json --limit 200 --heads heads.json\n"
      "  act-eval --model M.gguf --task ppl --data text.txt --context 512 --stride 256 --heads heads.json\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted.");
}

/// Throws act::error (invalid_option) for an option that the task can't heed. Nothing given is passed over.
inline void check_usage(const CLI::App& app, const eval_options& options) {
  const auto refuse = [&](std::initializer_list<const char*> names, const std::string& why) {
    for (const char* name : names) {
      if (app.get_option(name)->count() > 0) throw act::error(act::error_code::invalid_option, name, why);
    }
  };
  if (options.task == perplexity_task) {
    refuse({"--limit", "--scoring", "--long-prompts", "--prior", "--shots", "--predictions",
            "--include-search-samples", "--max-new-tokens"},
           "doesn't apply to --task ppl, which scores a text, not samples");
    return;
  }
  refuse({"--context", "--stride"}, "is for --task ppl");
  const act::tasks::task& task = act::tasks::find_task(options.task);
  if (task.kind == act::tasks::task_kind::open_ended) {
    refuse({"--scoring", "--prior"},
           "doesn't apply to --task " + task.name + ", whose answers are generated");
    refuse({"--shot-data", "--shot-seeds"}, "doesn't apply to --task " + task.name +
                                                ", which shows the first other questions of the paragraph");
  } else {
    refuse({"--max-new-tokens"}, "is for tasks with generated answers (squad)");
    if (options.shots > 0 && options.shot_data.empty()) {
      throw act::error(act::error_code::invalid_option, "--shots",
                       "needs --shot-data, the file that the examples come from");
    }
    if (options.prior != "none" && options.scoring.rule() == act::tasks::scoring_rule::greedy) {
      throw act::error(act::error_code::invalid_option, "--prior",
                       "contextual subtracts what each answer scores, and a greedy token can be any other; "
                       "use it with --scoring labels, letters or likelihood");
    }
  }
}

}  // namespace act_program
