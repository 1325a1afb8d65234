// A suite's results as tables: the paper's 2 to 5 with the suite's own rows and columns, and one of every way
// of scoring with its uncertainty. A table is made once and written as text, Markdown, LaTeX or CSV.
#pragma once

#include <act/suite/results.hpp>

#include <span>
#include <string>
#include <vector>

namespace act::suite {

struct result_table {
  std::string title;
  std::vector<std::string> header;
  std::size_t names = 1;  ///< how many first columns are names; the others are numbers
  std::vector<std::vector<std::string>> rows;
};

/// The paper's tables, those that have rows: 2 (multiple choice), 3 (MMLU), 4 (classification) and 5
/// (generated answers), per cent as there; of heads "Improv." below; tasks of one's own as 4. Their average
/// is over the tasks that all rows of a model and number of shots have.
[[nodiscard]] std::vector<result_table> paper_tables(const suite_results& of);

/// Every way of scoring: accuracy, its interval, the difference from plain and McNemar's p, AUC.
[[nodiscard]] result_table ways_table(const suite_results& of);
/// The same of generated answers; without rows where there are none.
[[nodiscard]] result_table answers_table(const suite_results& of);

/// What isn't whole yet: "sst2 of M: 120 of 300 samples so far", a line each.
[[nodiscard]] std::vector<std::string> unfinished(const suite_results& of);

[[nodiscard]] std::string as_text(const result_table& table);
[[nodiscard]] std::string as_markdown(const result_table& table);
/// A table environment for the package booktabs.
[[nodiscard]] std::string as_latex(const result_table& table);
/// One line a way and measure's numbers, unrounded: model, task, kind, shots, seeds, n, way, heads, ...;
/// fields in RFC 4180's quotes where they need them. Shares are 0 .. 1; what isn't defined is empty.
[[nodiscard]] std::string as_csv(const suite_results& of);

}  // namespace act::suite
