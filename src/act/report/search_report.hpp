// A head search as JSON for programs, as a heads file, and as a table for people.
#pragma once

#include <act/io/json_document.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace act::runtime {
struct model_config;
struct model_identity;
}  // namespace act::runtime
namespace act::search {
struct head_evidence;
struct head_selection;
struct heads_file;
struct layer_range;
struct search_outcome;
struct search_plan;
struct search_source;
struct search_work;
}  // namespace act::search

namespace act::report {

/// How heads were picked, for a heads file and a result.
struct selection_record {
  std::string select;     ///< "paper", "top:15"
  std::string objective;  ///< "accuracy", "likelihood"
};

/// Which samples of which files a search looked at, as heads files have it.
[[nodiscard]] io::json_document sources_json(std::span<const search::search_source> sources);

/// The JSON result of a search: every trial, the heads picked (best first), the work done and avoided.
[[nodiscard]] io::json_document to_json(const search::search_plan& plan,
                                        const search::search_outcome& outcome,
                                        const search::head_selection& picked, const selection_record& how);

/// The heads file of a search. Nothing in it depends on when or how often it was interrupted.
[[nodiscard]] search::heads_file heads_file_of(const runtime::model_identity& model,
                                               const search::search_plan& plan,
                                               const search::search_outcome& outcome,
                                               const search::head_selection& picked,
                                               const selection_record& how);

/// The picked heads, best first.
[[nodiscard]] std::string selection_table(std::span<const search::head_evidence> selected,
                                          std::size_t samples);

/// Layer-rows that a search of `range` would compute, judged by what a finished one took: trials with sinks
/// cost as many rows a layer there as here. Empty when the finished search says nothing about it (no rows
/// below the last layer).
[[nodiscard]] std::optional<double> estimated_rows(const search::search_plan& plan,
                                                   const search::search_work& done,
                                                   const runtime::model_config& config,
                                                   const search::layer_range& range);

}  // namespace act::report
