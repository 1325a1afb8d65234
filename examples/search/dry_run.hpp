// act-search --dry-run: what a search would take, as text and JSON.
#pragma once

#include <act/io/json_document.hpp>

namespace act::runtime {
struct model;
struct model_identity;
}  // namespace act::runtime
namespace act::search {
struct expected_work;
struct search_plan;
}  // namespace act::search

namespace act_program {

/// To stdout. `budget`: --budget, of a plan with estimates.
void print_expected(const act::search::search_plan& plan, const act::runtime::model& loaded,
                    const act::search::expected_work& expected, double budget);

[[nodiscard]] act::io::json_document expected_json(const act::search::search_plan& plan,
                                                   const act::runtime::model& loaded,
                                                   const act::runtime::model_identity& model,
                                                   const act::search::expected_work& expected, double budget);

}  // namespace act_program
