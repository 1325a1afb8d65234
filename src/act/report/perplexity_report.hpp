// A perplexity as JSON for programs and as a table for people, both made from the same value.
#pragma once

#include <act/io/json_document.hpp>

#include <string>

namespace act::tasks {
struct perplexity_evaluation;
}

namespace act::report {

/// `{"windows", "counted", "baseline", "calibrated"?, "difference"?}`; log_probability is the mean of a
/// token.
[[nodiscard]] io::json_document to_json(const tasks::perplexity_evaluation& result);

[[nodiscard]] std::string perplexity_table(const tasks::perplexity_evaluation& result);

}  // namespace act::report
