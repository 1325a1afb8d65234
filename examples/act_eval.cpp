// act-eval: a task's accuracy and AUC, plain and calibrated, with their uncertainty.
#include <act/report/atomic_file.hpp>
#include <act/report/evaluation_report.hpp>
#include <act/report/progress.hpp>
#include <act/tasks/evaluate.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/selection.hpp>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "data_identity.hpp"
#include "program.hpp"

namespace {

using namespace act_program;

struct eval_options {
  common_options common;
  calibration_flags calibration;
  scoring_flags scoring;
  std::string task;
  std::string data;
  std::int64_t limit = 0;
  std::uint64_t seed = 0;
  std::string heads;
  std::string predictions;
  bool include_search_samples = false;
  bool force = false;
};

void declare(CLI::App& app, eval_options& options) {
  options.common.add_to(app);
  app.add_option("--task", options.task,
                 "What the data is: sst2, sst5, mr, subj, trec, boolq, arce, jsonl ...")
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
  options.calibration.add_to(app);
  app.footer(
      "Examples:\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --limit 200\n"
      "  act-eval --model M.gguf --task sst2 --data dev.tsv --heads heads.json --json result.json\n"
      "  act-eval --model M.gguf --task arce --data test.jsonl --scoring likelihood\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted.");
}

// Positions of a data file's samples that a search has seen, by the evidence in its heads file.
std::set<std::size_t> searched_samples(const act::heads_file& heads, const std::string& sha256) {
  std::set<std::size_t> seen;
  if (!heads.evidence.contains("sources") || !heads.evidence["sources"].is_array()) return seen;
  for (const auto& source : heads.evidence["sources"]) {
    if (!source.is_object() || !source.contains("sha256") || source["sha256"] != sha256) continue;
    if (!source.contains("samples") || !source["samples"].is_array()) continue;
    for (const auto& index : source["samples"]) {
      if (index.is_number_unsigned()) seen.insert(index.get<std::size_t>());
    }
  }
  return seen;
}

void run(const CLI::App& app, const eval_options& options) {
  const act::provenance_clock clock;
  act::set_thread_count(options.common.threads);
  const act::task& task = act::find_task(options.task);
  const std::string scoring = options.scoring.name_for(task);
  std::optional<act::heads_file> heads;
  if (!options.heads.empty()) heads = act::read_heads_file(options.heads);
  act::model_calibration calibration;
  calibration.options = options.calibration.over(heads ? heads->options : std::nullopt);

  // What is cheap to check comes before the model is loaded.
  const std::vector<act::sample> all = act::read_samples(task, options.data);
  const std::string sha256 = data_sha256(task, options.data);
  std::set<std::size_t> seen;
  if (heads && !options.include_search_samples) seen = searched_samples(*heads, sha256);
  std::vector<act::sample> chosen;
  std::size_t left_out = 0;
  for (const std::size_t index : act::select_limited(all.size(), options.limit, options.seed)) {
    if (seen.contains(index)) {
      ++left_out;
    } else {
      chosen.push_back(all[index]);
    }
  }
  if (chosen.empty()) {
    throw act::error(act::error_code::invalid_input, options.data,
                     "every chosen sample was used to find the heads; score other samples, or pass "
                     "--include-search-samples");
  }

  const act::loaded_model loaded = act::load_model(options.common.model);
  const act::model_identity identity = act::identity_of(loaded.model);
  if (heads) {
    const act::fingerprint_check fit = act::check_fit(*heads, identity, options.heads, options.force);
    if (fit == act::fingerprint_check::absent) {
      std::cerr << "act-eval: " << options.heads << ": has no fingerprint, so it may be another model's\n";
    }
    calibration.heads = heads->heads;
  }
  const act::prepared_samples prepared =
      act::prepare(task, chosen, *loaded.tokenizer, loaded.model.config.context, options.scoring.policy(),
                   options.data, {.scoring = options.scoring.rule()});
  if (prepared.samples.empty()) {
    throw act::error(act::error_code::invalid_input, options.data, "no prompt fits the model's context");
  }

  act::progress progress("scoring", prepared.samples.size(), options.common.quiet);
  const act::sample_scores scores =
      act::score_samples(loaded.model, prepared.samples, calibration, [&](std::size_t settled) {
        progress.advance(settled);
        stop_if_interrupted();
      });
  const act::evaluation result = act::evaluate(prepared.samples, scores, {.seed = options.seed});

  if (!options.predictions.empty()) {
    std::string lines;
    for (std::size_t i = 0; i < prepared.samples.size(); ++i) {
      lines +=
          act::prediction_line(prepared.samples[i], scores.plain[i],
                               scores.calibrated.empty() ? std::span<const double>{} : scores.calibrated[i]);
    }
    act::write_file(options.predictions, lines);
  }
  if (!options.common.json.empty()) {
    nlohmann::ordered_json document{{"task", task.name}, {"scoring", scoring}};
    document.update(act::to_json(result));
    document["left_out"] = {{"search_samples", left_out}, {"too_long", prepared.skipped}};
    document["truncated"] = prepared.truncated;
    document["heads"] = calibration.heads.size();
    document["options"] = act::to_json(calibration.options);
    document["model"] = act::to_json(identity);
    document["data"] = {{"file", options.data}, {"sha256", sha256}};
    const act::provenance made = clock.stamp(options_in_force(app));
    document["seconds"] = made.seconds;
    document["provenance"] = act::to_json(made);
    act::write_file(options.common.json, act::pretty_json(document) + "\n");
  }

  std::cout << task.name << ": " << result.n << " samples of " << options.data;
  if (heads)
    std::cout << ", " << calibration.heads.size() << " heads calibrated (beta " << calibration.options.beta
              << ")";
  if (options.scoring.rule() == act::scoring_rule::likelihood) std::cout << ", scored by likelihood";
  std::cout << '\n';
  if (left_out > 0) std::cout << left_out << " samples left out: the heads were found on them\n";
  if (prepared.skipped > 0)
    std::cout << prepared.skipped << " samples left out: longer than the model's context\n";
  if (prepared.truncated > 0)
    std::cout << prepared.truncated << " prompts cut at the left to the model's context\n";
  std::cout << '\n' << act::evaluation_table(result);
  if (result.difference) {
    std::cout << "McNemar's exact test of the difference: p = "
              << act::detail::formatted("%.3g", result.difference->mcnemar_p) << '\n';
  }
  if (task.kind == act::task_kind::classification)
    std::cout << '\n' << act::answers_table(result, task.label_words);
  if (heads && calibration.heads.empty()) {
    std::cout << '\n' << options.heads << " names no heads, so there is nothing to calibrate.\n";
  } else if (heads) {
    std::cout << '\n' << act::verdict(result) << '\n';
  }
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app{"Accuracy and AUC of a task, plain and calibrated, with their uncertainty.", "act-eval"};
  eval_options options;
  declare(app, options);
  return main_of(app, count, arguments, [&] { run(app, options); });
}
