// The pictures that act-inspect makes: what maps are calibrated by in them, and the files of --svg.
#pragma once

#include <act/report/pages/inspection_page.hpp>
#include <act/runtime/model_calibration.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace act::inspection {
class average_maps;
struct inspection_summary;
struct prompt_observation;
}  // namespace act::inspection
namespace act::runtime {
struct loaded_model;
struct model;
class tokenizer;
}  // namespace act::runtime

namespace act_program {

class command_line;
struct inspect_options;

/// How maps are calibrated, and how pages and drawings say so.
struct picture_calibration {
  act::runtime::model_calibration calibration;
  act::report::page_calibration page;
  std::string after = "after";  ///< "after: each head alone, beta 0.4"
};

/// Of --heads, else every head alone; its sinks are what the command line and the heads file say. Throws
/// act::error: as calibration_for; unsupported for what pictures can't show.
[[nodiscard]] picture_calibration picture_calibration_of(const command_line& line,
                                                         const inspect_options& options,
                                                         const act::runtime::model& model);

/// The heads of --map. Throws act::error (invalid_option).
[[nodiscard]] std::vector<act::layer_head> asked_maps(const inspect_options& options,
                                                      const act::runtime::model& model);

/// A prompt's drawings. `name` is the model's.
void write_drawings(const inspect_options& options, const std::string& name,
                    const act::inspection::inspection_summary& summary,
                    const act::inspection::prompt_observation& prompt, const picture_calibration& calibrated,
                    const std::vector<act::layer_head>& maps, const act::runtime::tokenizer& by);

/// A data set's. `name` is the model's and the task's.
void write_drawings(const inspect_options& options, const std::string& name,
                    const act::inspection::inspection_summary& summary,
                    const act::inspection::average_maps& maps, const picture_calibration& calibrated);

}  // namespace act_program
