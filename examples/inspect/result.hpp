// What act-inspect says of a prompt and of a data set in the same way.
#pragma once

#include <act/io/json_document.hpp>
#include <act/options.hpp>
#include <act/report/inspection_page.hpp>
#include <act/report/provenance.hpp>

#include <string>

namespace act::inspection {
struct inspection_summary;
}
namespace act::runtime {
struct loaded_model;
struct model;
}  // namespace act::runtime

namespace act_program {

class command_line;
struct inspect_options;

/// Writes a result with what both kinds end with.
void write_inspection(act::io::json_document document, const act::sink_options& sinks,
                      const act::runtime::model& model, const act::report::provenance_clock& clock,
                      const command_line& line, const inspect_options& options);

/// What a page says at its top: what was looked at, with which model, and what counts as a sink.
[[nodiscard]] act::report::page_heading heading_of(const std::string& what, const act::sink_options& sinks,
                                                   const act::runtime::loaded_model& loaded);

void print_heat_map(const act::inspection::inspection_summary& summary, const inspect_options& options);

}  // namespace act_program
