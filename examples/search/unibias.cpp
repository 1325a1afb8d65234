#include "search/unibias.hpp"

#include <act/error.hpp>
#include <act/report/number_text.hpp>
#include <act/report/progress.hpp>
#include <act/report/provenance.hpp>
#include <act/report/unibias_report.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/load_model.hpp>
#include <act/search/heads_file.hpp>
#include <act/search/label_bias.hpp>
#include <act/search/plan.hpp>
#include <act/search/unibias.hpp>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <utility>

#include "programs/command_line.hpp"
#include "programs/program.hpp"
#include "programs/result_file.hpp"
#include "search/options.hpp"
#include "search/processes/processes.hpp"

namespace act_program {

void check_unibias(const command_line& line, const processes& all, const search_options& options) {
  const auto refuse = [](const char* where, const char* what) {
    throw act::error(act::error_code::invalid_option, where, what);
  };
  if (!options.calibration.masks) {
    refuse("--select", "is 'unibias', which chooses heads to be masked; add --mask");
  }
  for (const char* option : {"--strategy", "--budget", "--risk", "--objective", "--verify", "--verify-best",
                             "--tune-beta", "--state", "--reuse", "--shard", "--merge", "--dry-run"}) {
    if (line.given(option)) refuse(option, "is about trials of single heads; --select unibias makes none");
  }
  if (all.count() > 1)
    refuse("--select", "is 'unibias', a few passes that one process does; run it without a launcher");
}

void run_unibias(const command_line& line, const act::search::search_plan& plan,
                 const act::runtime::loaded_model& loaded, const passed_over& passed,
                 const search_options& options) {
  const act::report::provenance_clock clock;
  act::search::check_labels(plan, "--select");
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  const auto start = std::chrono::steady_clock::now();
  const auto stage = [&](const char* name, std::size_t passes, const auto& run) {
    act::report::progress progress(name, passes * plan.samples.size(), options.common.quiet);
    return run([&](std::size_t samples) {
      progress.advance(samples);
      stop_if_interrupted();
    });
  };
  act::report::unibias_result result;
  result.heads = stage("looking at heads", 1, [&](const auto& on_samples) {
    return act::search::criteria_of_heads(loaded.model, plan, on_samples);
  });
  result.sets = act::search::biased_sets(result.heads, act::search::published_thresholds());
  result.probabilities = stage("masking sets", result.sets.size(), [&](const auto& on_samples) {
    return act::search::label_probabilities(loaded.model, plan, result.sets, on_samples);
  });
  result.chosen = act::search::least_biased(result.probabilities);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  act::search::write_heads_file(options.out, act::report::heads_file_of(identity, plan, result));
  if (!options.common.json.empty()) {
    act::io::json_document document = act::report::to_json(plan, result);
    document.set("options", act::search::to_json(options.calibration.over(std::nullopt)));
    document.set("model", act::runtime::to_json(identity));
    write_result(options.common.json, std::move(document), line, clock);
  }
  std::cout << "looked at " << result.heads.size() << " heads of layers " << plan.range.first << ".."
            << plan.range.last << " on " << plan.samples.size() << " samples in "
            << act::report::format_duration(seconds) << '\n'
            << passed.remarks() << act::report::unibias_text(result) << '\n'
            << result.sets[result.chosen].heads.size() << " heads picked (unibias), written to "
            << options.out << '\n';
}

}  // namespace act_program
