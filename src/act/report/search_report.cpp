#include <act/report/number_json.hpp>
#include <act/report/number_text.hpp>
#include <act/report/search_report.hpp>
#include <act/report/selection_report.hpp>
#include <act/report/table.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/search/evidence.hpp>
#include <act/search/exact_search.hpp>
#include <act/search/heads_file.hpp>
#include <act/search/layer_range.hpp>
#include <act/search/plan.hpp>
#include <act/search/selection/select_heads.hpp>
#include <act/statistics/intervals.hpp>

#include <span>
#include <utility>
#include <vector>

namespace act::report {

io::json_document sources_json(std::span<const search::search_source> sources) {
  auto list = io::json_document::array();
  for (const search::search_source& source : sources) {
    auto one = io::json_document::object({{"task", source.task},
                                          {"file", source.file},
                                          {"sha256", source.sha256},
                                          {"scoring", source.scoring},
                                          {"special_tokens", source.special_tokens}});
    if (source.final_space) one.set("final_space", *source.final_space);
    one.set("samples", source.indices);
    list.push_back(std::move(one));
  }
  return list;
}

namespace {

io::json_document to_json(const search::head_evidence& head, std::size_t samples) {
  auto one = io::json_document::object({{"layer", head.layer}, {"head", head.head}});
  if (head.strength) one.set("strength", *head.strength);
  if (head.tried < samples) one.set("tried", head.tried);  // it can't be picked
  if (head.estimated) one.set("estimated", true);
  one.update(io::json_document::object({{"correct", head.correct},
                                        {"gained", head.gained},
                                        {"lost", head.lost},
                                        {"net", head.net()},
                                        {"with_sinks", head.with_sinks},
                                        {"log_likelihood_gain", head.log_likelihood_gain}}));
  return one;
}

io::json_document to_json(const search::search_work& work) {
  return io::json_document::object({{"layer_rows_computed", work.layer_rows_computed},
                                    {"layer_rows_avoided", work.layer_rows_avoided},
                                    {"trials", work.trials},
                                    {"trials_without_sinks", work.trials_without_sinks}});
}

io::json_document search_json(const search::search_plan& plan, const search::search_outcome& outcome,
                              const search::head_selection& picked, const selection_record& how) {
  auto trials = io::json_document::array();
  for (const search::head_evidence& head : outcome.evidence)
    trials.push_back(to_json(head, outcome.samples));
  const double accuracy = static_cast<double>(outcome.plain_correct) / static_cast<double>(outcome.samples);
  auto evidence = io::json_document::object(
      {{"strategy", plan.strategy.empty() ? "exact" : plan.strategy},
       {"layers", io::json_document::array({plan.range.first, plan.range.last})},
       {"select", how.select},
       {"objective", how.objective},
       {"sources", sources_json(plan.sources)},
       {"baseline", io::json_document::object({{"n", outcome.samples},
                                               {"correct", outcome.plain_correct},
                                               {"accuracy", accuracy},
                                               {"ci95", interval_json(statistics::wilson_interval(
                                                            outcome.plain_correct, outcome.samples))}})},
       {"trials", std::move(trials)}});
  if (!plan.strengths.empty()) evidence.set("strengths", plan.strengths);
  add_selection(evidence, picked, plan.sources);
  return evidence;
}

}  // namespace

io::json_document to_json(const search::search_plan& plan, const search::search_outcome& outcome,
                          const search::head_selection& picked, const selection_record& how) {
  io::json_document document = search_json(plan, outcome, picked, how);
  document.set("work", to_json(outcome.work));
  return document;
}

search::heads_file heads_file_of(const runtime::model_identity& model, const search::search_plan& plan,
                                 const search::search_outcome& outcome, const search::head_selection& picked,
                                 const selection_record& how) {
  calibration_options options = plan.options;
  if (!picked.betas.empty()) options.beta = picked.betas[picked.tuned_to].beta;
  return {.model = model,
          .options = options,
          .subset = plan.subset,
          .masks = plan.masks,
          .heads = heads_of(picked.heads),
          .strengths = strengths_of(picked.heads),
          .evidence = search_json(plan, outcome, picked, how)};
}

std::string selection_table(std::span<const search::head_evidence> selected, std::size_t samples) {
  const bool several = !selected.empty() && selected.front().strength;
  std::vector<std::string> columns{"layer", "head"};
  if (several) columns.emplace_back("strength");
  for (const char* column : {"with sinks", "gained", "lost", "net", "log-likelihood"})
    columns.emplace_back(column);
  text_table table(columns);
  for (const search::head_evidence& head : selected) {
    std::vector<std::string> row{std::to_string(head.layer), std::to_string(head.head)};
    if (several) row.push_back(formatted("%g", head.strength.value_or(0)));
    row.push_back(percent(static_cast<double>(head.with_sinks) / static_cast<double>(samples)));
    row.push_back(std::to_string(head.gained));
    row.push_back(std::to_string(head.lost));
    row.push_back(formatted("%+.0f", static_cast<double>(head.net())));
    row.push_back(formatted("%+.4f", head.log_likelihood_gain));
    table.add(row);
  }
  return table.str();
}

std::optional<double> estimated_rows(const search::search_plan& plan, const search::search_work& done,
                                     const runtime::model_config& config, const search::layer_range& range) {
  // Words are scored by one row of the last layer; for options it computes as many as the others.
  const bool one_last_row = plan.samples.empty() || plan.samples.front().options.empty();
  const auto layers_run = [&](const search::layer_range& of) {
    double sum = 0;
    for (std::size_t layer = of.first; layer <= of.last; ++layer) {
      const std::size_t above = config.layers - 1 - layer;
      sum += static_cast<double>(above + (above > 0 && !one_last_row ? 1 : 0));
    }
    return sum;
  };
  double plain = 0;
  for (const tasks::prepared_sample& sample : plan.samples) {
    plain += static_cast<double>(one_last_row ? sample.tokens() * (config.layers - 1) + 1
                                              : sample.tokens() * config.layers);
  }
  const double last_rows = one_last_row ? static_cast<double>(done.trials - done.trials_without_sinks) : 0.0;
  const double rows = static_cast<double>(done.layer_rows_computed) - plain - last_rows;
  if (layers_run(plan.range) <= 0 || rows <= 0) return std::nullopt;
  return plain + rows * layers_run(range) / layers_run(plan.range) +
         last_rows * static_cast<double>(range.count()) / static_cast<double>(plan.range.count());
}

}  // namespace act::report
