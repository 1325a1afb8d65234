// A perplexity as JSON for programs and as a table for people, both made from the same value.
#pragma once

#include <act/io/json_document.hpp>

#include <string>

namespace act::tasks {
struct perplexity_evaluation;
}

namespace act::report {

/// What the two ways of running the model over the text are called.
struct perplexity_names {
  std::string first = "plain";
  std::string second = "calibrated";
};

/// `{"windows", "counted", "baseline", "calibrated"?, "difference"?}`; log_probability is the mean of a
/// token. The second way goes by its name, with _ for spaces.
[[nodiscard]] io::json_document to_json(const tasks::perplexity_evaluation& result,
                                        const perplexity_names& names = {});

[[nodiscard]] std::string perplexity_table(const tasks::perplexity_evaluation& result,
                                           const perplexity_names& names = {});

}  // namespace act::report
