#include <act/report/comparison_report.hpp>
#include <act/report/evaluation_report.hpp>
#include <act/report/number_text.hpp>
#include <act/report/table.hpp>
#include <act/tasks/comparison.hpp>

#include <string>
#include <utility>

namespace act::report {

namespace {

std::string name_of(statistics::label_map_kind map) {
  return map == statistics::label_map_kind::bias ? "bias" : "linear";
}

}  // namespace

io::json_document to_json(std::span<const tasks::compared_row> rows) {
  auto list = io::json_document::array();
  for (const tasks::compared_row& row : rows) {
    auto one = io::json_document::object({{"name", row.name}});
    one.set("map", row.map ? io::json_document(name_of(*row.map)) : io::json_document(nullptr));
    if (row.map) one.set("fitted_on", row.fitted_on);
    one.set("summary", summary_json(row.summary, false));
    if (row.difference) one.set("difference", difference_json(*row.difference));
    list.push_back(std::move(one));
  }
  return list;
}

std::string comparison_table(std::span<const tasks::compared_row> rows, std::size_t n) {
  text_table table({"", "correct", "accuracy", "95 % interval", "- plain", "95 % interval", "prior-corrected",
                    "AUC", "- plain", "95 % interval"});
  const auto range = [](const statistics::interval& of, const char* pattern) {
    return formatted(pattern, of.lo) + " .. " + formatted(pattern, of.hi);
  };
  for (const tasks::compared_row& row : rows) {
    const tasks::accuracy_summary& sum = row.summary;
    std::vector<std::string> cells{row.map ? "  + " + name_of(*row.map) : row.name,
                                   formatted("%.0f", sum.correct) + "/" + std::to_string(n),
                                   percent(sum.accuracy),
                                   percent_range(sum.ci95),
                                   row.difference ? signed_percent(row.difference->accuracy) : "",
                                   row.difference ? signed_percent_range(row.difference->ci95) : "",
                                   sum.prior_corrected ? percent(*sum.prior_corrected) : "-",
                                   sum.auc ? formatted("%.3f", *sum.auc) : "-"};
    if (row.difference && row.difference->auc) {
      cells.push_back(formatted("%+.3f", *row.difference->auc));
      if (row.difference->auc_ci95) cells.push_back(range(*row.difference->auc_ci95, "%+.3f"));
    }
    table.add(std::move(cells));
  }
  return table.str();
}

}  // namespace act::report
