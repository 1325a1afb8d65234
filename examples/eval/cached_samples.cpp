#include "eval/cached_samples.hpp"

#include <act/error.hpp>
#include <act/io/json_document.hpp>
#include <act/report/evaluation_report.hpp>
#include <act/report/number_text.hpp>
#include <act/report/progress.hpp>
#include <act/report/provenance.hpp>
#include <act/report/way_names.hpp>
#include <act/runtime/cache_policy.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/tasks/evaluate.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/score_samples.hpp>
#include <act/tasks/score_through_cache.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "eval/heads.hpp"
#include "eval/options.hpp"
#include "eval/shown_prompts.hpp"
#include "programs/open_model.hpp"
#include "programs/program.hpp"
#include "programs/reference_cache.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

act::tasks::sample_scores score_both(const act::runtime::model& model,
                                     const std::vector<act::tasks::prepared_sample>& samples,
                                     const act::runtime::cache_policy& cache, const eval_options& options) {
  act::report::progress progress("scoring", 2 * samples.size(), options.common.quiet);
  const auto settled = [&](std::size_t count) {
    progress.advance(count);
    stop_if_interrupted();
  };
  act::tasks::sample_scores scores = act::tasks::score_samples(model, samples, {}, settled);
  scores.calibrated = act::tasks::score_through_cache(model, samples, cache, options.stored(), settled);
  return scores;
}

}  // namespace

void evaluate_cached_samples(const command_line& line, const act::tasks::task& task,
                             const eval_options& options) {
  const act::report::provenance_clock clock;
  const chosen_heads none(options);
  const scored_data data = read_data(task, none, options);
  const act::runtime::loaded_model loaded = open_model(line, options.common);
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  const act::tasks::prepared_samples prepared = act::tasks::prepare(
      task, data.chosen, *loaded.tokenizer, loaded.model.config.context, options.scoring.policy(),
      options.data,
      {.scoring = options.scoring.rule(), .special_tokens = options.scoring.special_tokens.written()});
  const std::vector<act::tasks::prepared_sample>& samples = prepared.samples;
  if (samples.empty())
    throw act::error(act::error_code::invalid_input, options.data, "no prompt fits the model's context");
  show_prompts(samples, *loaded.tokenizer, options.show_prompts);
  act::runtime::cache_policy cache = act::runtime::parse_cache_policy(options.cache, "--cache");
  const std::string kept = fit_reference_cache(cache, loaded, options.cache_text, options.common.quiet);
  const act::tasks::sample_scores scores = score_both(loaded.model, samples, cache, options);
  const act::tasks::evaluation result =
      act::tasks::evaluate(act::tasks::labels_of(samples), act::tasks::most_answers(samples), {&scores, 1},
                           {.seed = options.seed});
  const act::report::way_names names{.first = "all keys kept", .second = "reference heads"};
  const passed_over passed{.too_long = prepared.skipped, .truncated = prepared.truncated};

  if (!options.common.json.empty()) {
    act::io::json_document document = act::io::json_document::object(
        {{"task", task.name}, {"scoring", options.scoring.name_for(task)}, {"cache", options.cache}});
    add_reference_cache(document, cache, loaded.model.config, options.cache_text);
    document.update(act::report::to_json(result, names));
    passed.add_to(document);
    options.scoring.special_tokens.add_to(document);
    options.scoring.final_space.add_to(document, task);
    add_calibrated_model(document, {}, identity);
    document.set("data", act::io::json_document::object({{"file", options.data}, {"sha256", data.sha256}}));
    write_result(options.common.json, std::move(document), line, clock);
  }
  std::cout << task.name << ": " << result.n << " samples of " << options.data << ", cache " << options.cache
            << '\n'
            << kept << '\n'
            << passed.remarks() << '\n'
            << act::report::evaluation_table(result, names) << "McNemar's exact test of the difference: p = "
            << act::report::formatted("%.3g", *result.difference->mcnemar_p) << '\n';
  if (task.kind == act::tasks::task_kind::classification)
    std::cout << '\n' << act::report::answers_table(result, task.label_words, names);
}

}  // namespace act_program
