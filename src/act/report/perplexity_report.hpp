// A perplexity as JSON for programs and as a table for people, both made from the same value.
#pragma once

#include <act/io/json_document.hpp>
#include <act/report/way_names.hpp>

#include <string>

namespace act::tasks {
struct perplexity_evaluation;
}

namespace act::report {

/// `{"windows", "counted", "baseline", "calibrated"?, "difference"?}`; log_probability is the mean of a
/// token. The second way goes by its name.
[[nodiscard]] io::json_document to_json(const tasks::perplexity_evaluation& result,
                                        const way_names& names = {});

[[nodiscard]] std::string perplexity_table(const tasks::perplexity_evaluation& result,
                                           const way_names& names = {});

}  // namespace act::report
