#include "eval/options.hpp"

#include <act/error.hpp>
#include <act/runtime/cache_policy.hpp>
#include <act/tasks/task.hpp>

#include <initializer_list>

#include "programs/command_line.hpp"
#include "programs/reference_cache.hpp"
#include "programs/task_listing.hpp"

namespace act_program {

namespace {

// Those of some tasks only.
void declare_task_options(command_line& line, eval_options& options) {
  const std::string few_shot = "Few-shot";
  const command_option shots = line.add("--shots", options.shots, "Examples shown before each sample")
                                   .positive()
                                   .value_name("K")
                                   .group(few_shot);
  line.add("--shot-data", options.shot_data,
           "Where they come from: a training file (mmlu: a folder with the subjects' _dev.csv; "
           "squad: none, they are the paragraph's other questions)")
      .needs(shots)
      .value_name("FILE")
      .group(few_shot);
  line.add("--shot-seeds", options.shot_seeds,
           "Runs with other shots, seeds 0, 42, 84 ...; results are the mean (default: 5)")
      .needs(shots)
      .within(1, 1000)
      .value_name("N")
      .group(few_shot);

  line.add_flag("--balanced-shots", options.balanced_shots,
                "Draw as many examples of each label as of every other (or one more)")
      .needs(shots)
      .group(few_shot);

  line.add("--max-new-tokens", options.max_new_tokens,
           "Tokens that an answer may have; it ends at the first newline (default: 32)")
      .within(1, 1 << 20)
      .value_name("N")
      .group("Generated answers (--task squad)");

  const std::string perplexity = "Perplexity (--task ppl)",
                    cache = "Caches (--task ppl, or a task by labels or letters)";
  line.add("--context", options.context, "Tokens of a window (default: the model's context)")
      .positive()
      .value_name("N")
      .group(perplexity);
  line.add("--stride", options.stride, "Tokens from window to window (default: half of the context)")
      .positive()
      .value_name("S")
      .group(perplexity);
  line.add("--max-windows", options.max_windows, "Score the first N windows of the text only (default: all)")
      .positive()
      .value_name("N")
      .group(perplexity);
  line.add("--cache", options.cache,
           "Score the text as it goes by, token by token, with a cache that keeps window:N (the last N "
           "tokens) or "
           "window:N+sinks:S (the first S too), or reference-heads:K (the keys of K key heads a layer, of "
           "which the others' are made), instead of in windows; of a task reference-heads:K beside all keys")
      .value_name("POLICY")
      .group(cache);
  line.add("--cache-type", options.cache_type,
           "In what numbers that cache keeps keys and values: f32, or f16 (half the memory, and faster "
           "behind long texts)")
      .one_of({"f32", "f16"})
      .value_name("TYPE")
      .show_default()
      .group(cache);
  line.add("--cache-text", options.cache_text, "With reference-heads:K: the text that fits how keys are made")
      .value_name("FILE")
      .group(cache);
  line.add("--block", options.block, "With --cache: tokens that are summed up together (default: 1000)")
      .positive()
      .value_name("N")
      .group(perplexity);
}

// Throws unless the task's samples can be scored through the cache.
void check_cached_task(const act::tasks::task& task, const eval_options& options) {
  const act::runtime::cache_policy cache = act::runtime::parse_cache_policy(options.cache, "--cache");
  if (cache.reference_heads == 0) {
    throw act::error(act::error_code::invalid_option, "--cache",
                     "of a task is reference-heads:K; the others are for --task ppl");
  }
  check_reference_cache(cache, options.cache_text);
  act::runtime::check_cache_type(cache, options.stored(), "--cache-type");
  const std::string scoring =
      task.kind == act::tasks::task_kind::open_ended ? "generated answers" : options.scoring.name_for(task);
  if (scoring != "labels" && scoring != "letters") {
    throw act::error(act::error_code::invalid_option, "--cache",
                     "of a task is for those scored by labels or letters, not by " + scoring);
  }
}

}  // namespace

void declare(command_line& line, eval_options& options) {
  options.common.add_to(line);
  line.add("--task", options.task,
           "What the data is: sst2, sst5, mr, subj, trec, boolq, arce, jsonl ..., squad (generated "
           "answers), or ppl (perplexity of a text)")
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
  line.add("--heads", options.heads,
           "Heads to calibrate, as act-search or PASTA's authors wrote them, or all; without it, plain only")
      .value_name("FILE");
  line.add("--predictions", options.predictions, "Write a JSON line for each sample").value_name("FILE");
  line.add("--export", options.exported,
           "lm-eval:FOLDER: predictions as lm-eval's --log_samples writes them, plain/ and calibrated/ in "
           "the folder")
      .value_name("FORM:FOLDER");
  line.add("--show-prompts", options.show_prompts,
           "Print the prompts of the first N samples that are scored, with their tokens")
      .value_name("N");
  line.add_flag("--include-search-samples", options.include_search_samples,
                "Score also the samples that the heads were found on");
  line.add_flag("--force", options.force, "Use heads that were found for another checkpoint");
  line.add_flag(
      "--resume", options.resume,
      "Go on from what an interrupted run of the same command kept (FILE.partial of --predictions and "
      "--json)");
  options.scoring.add_to(line);
  line.add("--prior", options.prior,
           "Also the plain scores less the label prior: contextual (those of the prompt without its text), "
           "batch "
           "(the mean over the scored samples) or domain (the mean over 20 prompts of random words of these)")
      .one_of({"none", "contextual", "batch", "domain"})
      .show_default();
  declare_task_options(line, options);
  options.calibration.add_to(line);
  line.footer(
      "act-eval SUITE.toml runs many models, tasks and ways of calibrating into one store: act-eval "
      "SUITE.toml "
      "--help.\n"
      "Examples:\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --limit 200\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --limit 2 --show-prompts 2\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --heads heads.json --json result.json\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --shots 4 --shot-data train.tsv "
      "--balanced-shots\n"
      "  act-eval --model M.gguf --task trec --data test.txt --heads heads.json --prior contextual\n"
      "  act-eval --model M.gguf --task trec --data test.txt --prior batch\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --no-final-space\n"
      "  act-eval --model M.gguf --task arce --data test.jsonl --scoring likelihood\n"
      "  act-eval --model M.gguf --task arce --data test.jsonl --scoring greedy\n"
      "  act-eval --model M.gguf --task arce --data test.jsonl --heads heads.json --redistribution subset "
      "--subset choices\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --heads heads.json --columns initial-token "
      "--factor 2\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --heads all --columns instruction --factor 5\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --heads heads.json --mask\n"
      "  act-eval --model M.gguf --task squad --data dev-v2.0.json --limit 200 --heads heads.json\n"
      "  act-eval --model M.gguf --task ppl --data text.txt --context 512 --stride 256 --heads heads.json\n"
      "  act-eval --model M.gguf --task ppl --data long.txt --cache window:1020+sinks:4 --json stream.json\n"
      "  act-eval --model M.gguf --task ppl --data p.txt --cache reference-heads:1 --cache-text text.txt\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --cache reference-heads:1 --cache-text text.txt\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted.");
}

std::string export_folder(const eval_options& options) {
  constexpr std::string_view form = "lm-eval:";
  if (options.exported.empty()) return {};
  if (!options.exported.starts_with(form) || options.exported.size() == form.size())
    throw act::error(act::error_code::invalid_option, "--export", "must be lm-eval:FOLDER");
  return options.exported.substr(form.size());
}

void check_usage(const command_line& line, const eval_options& options) {
  const auto refuse = [&](std::initializer_list<const char*> names, const std::string& why) {
    for (const char* name : names) {
      if (line.given(name)) throw act::error(act::error_code::invalid_option, name, why);
    }
  };
  if (!export_folder(options).empty())
    refuse({"--shots"}, "makes several runs of a sample, --export wants one");
  if (options.task == perplexity_task) {
    refuse({"--limit", "--scoring", "--long-prompts", "--prior", "--shots", "--predictions", "--export",
            "--include-search-samples", "--max-new-tokens", "--no-final-space", "--show-prompts", "--resume"},
           "doesn't apply to --task ppl, which scores a text, not samples");
    if (!options.cache.empty()) {
      const act::runtime::cache_policy cache = act::runtime::parse_cache_policy(options.cache, "--cache");
      check_reference_cache(cache, options.cache_text);
      act::runtime::check_cache_type(cache, options.stored(), "--cache-type");
      if (cache.reference_heads > 0)
        refuse({"--heads"},
               "isn't for --cache reference-heads:K, whose perplexity stands beside the plain one");
      refuse({"--context", "--stride", "--max-windows"},
             "cuts a text in windows, which --cache doesn't; give one of them");
    } else {
      refuse({"--block", "--cache-type", "--cache-text"}, "needs --cache");
    }
    return;
  }
  refuse({"--context", "--stride", "--max-windows", "--block"}, "is for --task ppl");
  const act::tasks::task& task = act::tasks::find_task(options.task);
  if (options.cache.empty()) {
    refuse({"--cache-type", "--cache-text"}, "needs --cache");
  } else {
    check_cached_task(task, options);
    refuse({"--heads", "--prior", "--shots", "--predictions", "--export", "--resume"},
           "isn't for --cache, whose scores stand beside those of all keys");
  }
  if (task.kind == act::tasks::task_kind::open_ended) {
    refuse({"--scoring", "--prior", "--export"},
           "doesn't apply to --task " + task.name + ", whose answers are generated");
    refuse({"--resume"},
           "is for tasks that are scored; a suite goes on from each generated answer (docs/suite.md)");
    refuse(
        {"--shot-data", "--shot-seeds", "--balanced-shots"},
        "doesn't apply to --task " + task.name + ", which shows the first other questions of the paragraph");
  } else {
    if (options.resume && (options.predictions.empty() || options.common.json.empty())) {
      throw act::error(act::error_code::invalid_option, "--resume",
                       "needs --predictions and --json, beside which an interrupted run keeps what it had");
    }
    refuse({"--max-new-tokens"}, "is for tasks with generated answers (squad)");
    if (options.shots > 0 && options.shot_data.empty()) {
      throw act::error(act::error_code::invalid_option, "--shots",
                       "needs --shot-data, the file that the examples come from");
    }
    if (options.prior != "none" && options.scoring.scoring == "greedy") {
      throw act::error(act::error_code::invalid_option, "--prior",
                       "subtracts what each answer scores, and a greedy token can be any other; "
                       "use it with --scoring labels, letters or likelihood");
    }
    if (options.prior == "domain" && task.kind != act::tasks::task_kind::classification) {
      throw act::error(act::error_code::invalid_option, "--prior",
                       "domain is for tasks whose labels all samples share, not for " + task.name);
    }
    if (options.prior == "batch" && options.scoring.scoring == "likelihood") {
      throw act::error(act::error_code::invalid_option, "--prior",
                       "batch subtracts each answer's mean over samples, and with --scoring likelihood every "
                       "sample has options of its own");
    }
  }
}

}  // namespace act_program
