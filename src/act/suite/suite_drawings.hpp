// A suite's results as drawings, for its page and for papers: accuracies with their intervals, and what each
// head alone does to the accuracy (the paper's Figure 3).
#pragma once

#include <act/report/pages/drawing.hpp>
#include <act/suite/results.hpp>

#include <string>

namespace act::suite {

/// One row a way of scoring: its accuracy (of generated answers the exact match) as a dot, its interval as a
/// line; the plain model's goes through all rows.
[[nodiscard]] report::drawing accuracy_drawing(const suite_result& result);

/// A row a layer, a cell a head: samples gained less lost with this head alone calibrated; the chosen ones
/// are framed. Preconditions: it has trials, all within its layers and heads.
[[nodiscard]] report::drawing gains_drawing(const searched_heads& search);

/// What the cells say together: "42 of 60 heads gain samples, 9 lose some; from -3 (layer 2, head 1) to +7
/// (layer 8, head 0) of 150". Precondition: it has trials.
[[nodiscard]] std::string gains_remark(const searched_heads& search);

/// The same as gains_drawing for a terminal: a line a layer, of each head its number, with a star where it is
/// chosen.
[[nodiscard]] std::string gains_text(const searched_heads& search);

/// "trec, ACT": what a search is called, beside its model.
[[nodiscard]] std::string name_of(const searched_heads& search);

}  // namespace act::suite
