// How heads were chosen and what they are expected to gain, as JSON and as text.
#pragma once

#include <act/io/json_document.hpp>

#include <span>
#include <string>

namespace act::search {
struct head_selection;
struct search_source;
struct source_forecast;
struct source_verification;
}  // namespace act::search
namespace act::tasks {
struct accuracy_difference;
}

namespace act::report {

/// Sets the members of a search's evidence that say how its heads were chosen: "selected" (best first), and
/// where there are any "estimates" (of each set that the rule chose among), "forecast" and "verified" (of
/// each file), "measured" (of each set that was run together, the taken one marked) and "betas" (the same of
/// each beta).
void add_selection(io::json_document& evidence, const search::head_selection& picked,
                   std::span<const search::search_source> sources);

/// "forecast for unseen samples of sst2: accuracy ..." a line a file, and one more where nothing is
/// forecast to rise for any of them; empty for none.
[[nodiscard]] std::string forecast_text(std::span<const search::source_forecast> forecast,
                                        std::span<const search::search_source> sources);

/// "whole passes over the search samples of sst2: ..." a line a file; empty for none.
[[nodiscard]] std::string verified_text(std::span<const search::source_verification> verified,
                                        std::span<const search::search_source> sources);

/// What each set that was run together gains of `objective`, a line each, and which was taken; empty for
/// none.
[[nodiscard]] std::string measured_text(const search::head_selection& picked, const std::string& objective);

/// What the picked heads gain of likelihood at each beta that they were run together at, a line each, and
/// which was taken; empty for none.
[[nodiscard]] std::string betas_text(const search::head_selection& picked);

/// Whether an evaluation of other samples bears a forecast out, as a sentence.
[[nodiscard]] std::string forecast_check_text(const search::source_forecast& forecast,
                                              const tasks::accuracy_difference& seen);

/// The same: of "accuracy" and, where both have it, "auc" the forecast, how much more was seen, how much more
/// or less the uncertainty of both allows, and whether they agree.
[[nodiscard]] io::json_document forecast_check_json(const search::source_forecast& forecast,
                                                    const tasks::accuracy_difference& seen);

/// How many heads the rule tried and what cross-validation said of them, a line; empty where it had no
/// choice.
[[nodiscard]] std::string choice_text(const search::head_selection& picked);

}  // namespace act::report
