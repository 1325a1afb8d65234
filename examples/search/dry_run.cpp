#include "search/dry_run.hpp"

#include <act/parallel.hpp>
#include <act/report/number_text.hpp>
#include <act/report/progress.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/search/plan.hpp>
#include <act/search/ranked_search.hpp>
#include <act/search/search_cost.hpp>

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>

namespace act_program {

namespace {

using act::report::formatted;

std::string mebibytes(std::uint64_t bytes) {
  return formatted("%.0f MiB", static_cast<double>(bytes) / 1048576.0);
}

std::size_t tokens_of(const act::search::search_plan& plan) {
  std::size_t tokens = 0;
  for (const act::tasks::prepared_sample& sample : plan.samples)
    tokens += sample.tokens();
  return tokens;
}

double share_of_estimates(const act::search::expected_work& expected) {
  return expected.estimate_rows / expected.trial_rows;
}

// Otherwise a ranked search runs every trial.
bool estimates_are_worth_it(const act::search::expected_work& expected) {
  return share_of_estimates(expected) <= act::search::ranked_options{}.estimates_at_most;
}

// What --strategy ranked makes of an exact search's time.
std::string ranked_text(const act::search::search_plan& plan, const act::search::expected_work& expected,
                        double budget) {
  if (!plan.estimates) return {};
  std::string text = "ranked  estimates take " + formatted("%.0f %%", 100 * share_of_estimates(expected)) +
                     " of the trials' work: ";
  if (!estimates_are_worth_it(expected)) {
    return text + "too much to be worth it, so the search will be exact; that time is its\n";
  }
  return text + "about " + act::report::format_duration(expected.ranked_seconds_expected(budget)) +
         " instead, within " + formatted("%g", budget) + '\n';
}

}  // namespace

void print_expected(const act::search::search_plan& plan, const act::runtime::model& loaded,
                    const act::search::expected_work& expected, double budget) {
  const act::search::search_memory memory = memory_of(loaded, plan);
  const std::size_t chunks = plan.chunks().size();
  std::cout << "search  " << plan.range.count() * loaded.config.heads << " heads of layers "
            << plan.range.first << ".." << plan.range.last
            << (plan.strengths.empty()
                    ? ""
                    : formatted(" with each of %.0f strengths", static_cast<double>(plan.strengths.size())))
            << " on " << plan.samples.size() << " samples, " << tokens_of(plan) << " tokens\n"
            << "trials  " << expected.trials << ", of which about "
            << formatted("%.0f %%", 100 * expected.with_sinks / static_cast<double>(expected.trials))
            << " have a sink and must be run\n"
            << "work    " << formatted("%.3g", expected.multiply_adds) << " multiply-adds, "
            << formatted("%.3g", expected.rows())
            << " layer-rows: " << formatted("%.1f %%", 100 * expected.rows() / expected.whole_rows)
            << " of what a whole pass for each trial would take\n"
            << "memory  " << mebibytes(memory.sum()) << ": weights " << mebibytes(memory.weights)
            << ", trials' scores " << mebibytes(memory.table) << ", a plain pass of up to "
            << plan.tokens_per_chunk << " tokens " << mebibytes(memory.plain) << ", running trials "
            << mebibytes(memory.batch)
            << (plan.estimates ? ", estimates " + mebibytes(memory.gradients) : std::string()) << '\n'
            << "time    about " << act::report::format_duration(expected.seconds_expected()) << " on "
            << act::thread_count() << " threads, at " << formatted("%.3g", expected.rows_per_second)
            << " layer-rows/s, measured here on " << expected.looked_at << " of the samples in "
            << formatted("%.1f s", expected.seconds) << '\n'
            << ranked_text(plan, expected, budget) << "blocks  " << chunks << " x " << plan.range.count()
            << " (samples run together x layers), which processes can share\n";
}

act::io::json_document expected_json(const act::search::search_plan& plan, const act::runtime::model& loaded,
                                     const act::runtime::model_identity& model,
                                     const act::search::expected_work& expected, double budget) {
  using act::io::json_document;
  const act::search::search_memory memory = memory_of(loaded, plan);
  auto document = json_document::object({{"dry_run", true}});
  document.set("model", act::runtime::to_json(model));
  document.set("layers", json_document::array({plan.range.first, plan.range.last}));
  if (!plan.strengths.empty()) document.set("strengths", plan.strengths);
  document.set("samples", plan.samples.size());
  document.set("tokens", tokens_of(plan));
  document.set("trials", expected.trials);
  document.set("trials_with_sinks", expected.with_sinks);
  document.set("plain_layer_rows", expected.plain_rows);
  document.set("trial_layer_rows", expected.trial_rows);
  if (plan.estimates) document.set("estimate_layer_rows", expected.estimate_rows);
  document.set("multiply_adds", expected.multiply_adds);
  document.set("memory", json_document::object({{"weights", memory.weights},
                                                {"scores", memory.table},
                                                {"plain_pass", memory.plain},
                                                {"trials", memory.batch},
                                                {"estimates", memory.gradients},
                                                {"sum", memory.sum()}}));
  document.set("chunks", plan.chunks().size());
  document.set("tokens_per_chunk", plan.tokens_per_chunk);
  document.set("measured",
               json_document::object({{"samples", expected.looked_at},
                                      {"seconds", expected.seconds},
                                      {"layer_rows_per_second", expected.rows_per_second},
                                      {"threads", static_cast<std::size_t>(act::thread_count())}}));
  document.set("seconds_expected", expected.seconds_expected());
  if (plan.estimates) {
    document.set("estimate_seconds_expected", expected.estimate_seconds);
    if (estimates_are_worth_it(expected))
      document.set("ranked_seconds_expected", expected.ranked_seconds_expected(budget));
  }
  return document;
}

}  // namespace act_program
