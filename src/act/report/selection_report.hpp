// How heads were chosen and what they are expected to gain, as JSON and as text.
#pragma once

#include <act/io/json_document.hpp>

#include <span>
#include <string>

namespace act::search {
struct head_selection;
struct search_source;
struct source_forecast;
}  // namespace act::search

namespace act::report {

/// Sets the members of a search's evidence that say how its heads were chosen: "selected" (best first), and
/// where there are any "estimates" (of each set that the rule chose among) and "forecast" (of each file).
void add_selection(io::json_document& evidence, const search::head_selection& picked,
                   std::span<const search::search_source> sources);

/// "forecast on unseen samples of sst2: accuracy ..." a line a file; empty for none.
[[nodiscard]] std::string forecast_text(std::span<const search::source_forecast> forecast,
                                        std::span<const search::search_source> sources);

/// How many heads the rule tried and what cross-validation said of them, a line; empty where it had no
/// choice.
[[nodiscard]] std::string choice_text(const search::head_selection& picked);

}  // namespace act::report
