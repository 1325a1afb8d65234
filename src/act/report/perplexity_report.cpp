#include <act/report/number_json.hpp>
#include <act/report/number_text.hpp>
#include <act/report/perplexity_report.hpp>
#include <act/report/table.hpp>
#include <act/tasks/score_perplexity.hpp>

namespace act::report {

namespace {

io::json_document to_json(const tasks::perplexity_summary& summary) {
  return io::json_document::object(
      {{"perplexity", summary.perplexity}, {"log_probability", summary.log_probability}});
}

}  // namespace

io::json_document to_json(const tasks::perplexity_evaluation& result, const way_names& names) {
  io::json_document document = io::json_document::object(
      {{"windows", result.windows}, {"counted", result.counted}, {"baseline", to_json(result.baseline)}});
  if (result.calibrated) {
    document.set(names.key(), to_json(*result.calibrated));
    document.set("difference", io::json_document::object({{"perplexity", or_null(result.difference)},
                                                          {"ci95", or_null(result.difference_ci95)}}));
  }
  return document;
}

std::string perplexity_table(const tasks::perplexity_evaluation& result, const way_names& names) {
  text_table table({"", "perplexity", "95 % interval", "log p of a token"});
  const auto add = [&](const std::string& name, const tasks::perplexity_summary& summary) {
    table.add({name, formatted("%.4f", summary.perplexity), "", formatted("%.5f", summary.log_probability)});
  };
  add(names.first, result.baseline);
  if (!result.calibrated) return table.str();
  add(names.second, *result.calibrated);
  const auto& range = result.difference_ci95;
  table.add({"difference", formatted("%+.4f", *result.difference),
             range ? formatted("%+.4f", range->lo) + " .. " + formatted("%+.4f", range->hi) : "-",
             formatted("%+.5f", result.calibrated->log_probability - result.baseline.log_probability)});
  return table.str();
}

}  // namespace act::report
