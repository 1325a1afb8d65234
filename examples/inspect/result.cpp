#include "inspect/result.hpp"

#include <act/io/json_document.hpp>
#include <act/report/inspection_heat_map.hpp>
#include <act/report/inspection_report.hpp>
#include <act/report/number_text.hpp>
#include <act/report/token_text.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/load_model.hpp>
#include <act/version.hpp>

#include <iostream>
#include <utility>

#include "inspect/options.hpp"
#include "programs/build_record.hpp"
#include "programs/result_file.hpp"

namespace act_program {

void write_inspection(act::io::json_document document, const act::sink_options& sinks,
                      const act::runtime::model& model, const act::report::provenance_clock& clock,
                      const command_line& line, const inspect_options& options) {
  document.set("options", act::report::to_json(sinks));
  document.set("model", act::runtime::to_json(act::runtime::identity_of(model)));
  write_result(options.common.json, std::move(document), line, clock);
}

act::report::page_heading heading_of(const std::string& what, const act::sink_options& sinks,
                                     const act::runtime::loaded_model& loaded) {
  // A folder may be given with a slash at its end.
  const bool named = loaded.path.has_filename();
  const std::string name =
      act::report::visible_text((named ? loaded.path : loaded.path.parent_path()).filename().string());
  const std::string rule =
      sinks.rule == act::sink_rule::absolute
          ? "its score is over " + act::report::formatted("%g", sinks.tau)
          : "its score is over " + act::report::formatted("%g", sinks.alpha) +
                (sinks.rule == act::sink_rule::relative ? " / N, N the prompt's tokens"
                                                        : " times what uniform attention gives it");
  const std::string rows = sinks.min_visible_rows > 1
                               ? ", and at least " + std::to_string(sinks.min_visible_rows) + " rows see it"
                               : "";
  return {
      .title = "Attention sinks of " + name,
      .lines = {what, "A token other than the first is a head's sink when " + rule + rows + ". act-inspect " +
                          std::string(ACT_VERSION_STRING) + " (" + built().revision + ")."}};
}

void print_heat_map(const act::inspection::inspection_summary& summary, const inspect_options& options) {
  std::cout << '\n'
            << act::report::heat_map(summary, {.colour = wants_colour(options)}) << '\n'
            << act::report::inspection_remarks(summary);
}

}  // namespace act_program
