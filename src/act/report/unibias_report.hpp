// UniBias's choice of heads (search/unibias.hpp) as a heads file, as JSON and as text.
#pragma once

#include <act/io/json_document.hpp>
#include <act/search/label_bias.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace act::runtime {
struct model_identity;
}
namespace act::search {
struct heads_file;
struct search_plan;
}  // namespace act::search

namespace act::report {

/// What was found: `probabilities` of the sets' labels, [set][label], `chosen` among the sets.
struct unibias_result {
  std::vector<search::head_criteria> heads;
  std::vector<search::biased_set> sets;
  std::vector<std::vector<double>> probabilities;
  std::size_t chosen = 0;
};

/// A heads file's evidence: the samples, every head's criteria, every set with its thresholds, the labels'
/// probabilities and bias, and whether it was rejected; "chosen" and "selected", the heads of that set.
[[nodiscard]] io::json_document to_json(const search::search_plan& plan, const unibias_result& result);

/// The heads of the chosen set, masked. Nothing in it depends on when it was made.
[[nodiscard]] search::heads_file heads_file_of(const runtime::model_identity& model,
                                               const search::search_plan& plan, const unibias_result& result);

/// How many sets there were, what masking the chosen one does to the labels, and its heads' criteria.
[[nodiscard]] std::string unibias_text(const unibias_result& result);

}  // namespace act::report
