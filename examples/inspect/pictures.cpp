#include "inspect/pictures.hpp"

#include <act/error.hpp>
#include <act/inspection/average_maps.hpp>
#include <act/inspection/observation.hpp>
#include <act/inspection/summary.hpp>
#include <act/io/atomic_file.hpp>
#include <act/report/number_text.hpp>
#include <act/report/pages/drawing.hpp>
#include <act/report/pages/inspection_drawings.hpp>
#include <act/report/token_text.hpp>
#include <act/runtime/load_model.hpp>
#include <act/search/heads_file.hpp>
#include <act/suite/results.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>
#include <span>

#include "inspect/options.hpp"
#include "programs/command_line.hpp"
#include "programs/generation_heads.hpp"

namespace act_program {

namespace {

using act::inspection::averaged_map;
using act::report::drawing;

[[noreturn]] void refuse(const char* option, const std::string& why) {
  throw act::error(act::error_code::invalid_option, option, why);
}

void write(const inspect_options& options, const std::string& name, const drawing& drawn) {
  act::io::write_file((std::filesystem::path(options.svg) / (name + ".svg")).string(), drawn.file());
}

// What a prompt and a data set have alike.
void write_common(const inspect_options& options, const std::string& name,
                  const act::inspection::inspection_summary& summary,
                  const act::inspection::average_maps& maps, const std::vector<std::size_t>& sinks,
                  const std::string& after_text) {
  using namespace act::report;
  const std::vector<averaged_map> before = maps.before(), after = maps.after();
  write(options, "heads", heads_drawing(summary, name + ": attention of each head"));
  write(options, "scores", scores_drawing(summary, name + ": scores of tokens in all heads"));
  write(options, "places", places_drawing(summary, name + ": where sinks stand"));
  write(options, "average",
        maps_drawing(act::inspection::mean_of(before), act::inspection::mean_of(after),
                     {.title = name + ": mean of all heads", .after = after_text, .sinks = sinks}));
  write(options, "layers", layers_drawing(before, name + ": mean of each layer's heads"));
  if (!after.empty()) {
    write(options, "layers-after",
          layers_drawing(after, name + ": mean of each layer's heads, " + after_text));
  }
}

// Cells with sinks, each once.
std::vector<std::size_t> cells_of(const act::inspection::map_picture& picture,
                                  const std::vector<std::size_t>& positions) {
  std::set<std::size_t> cells;
  for (const std::size_t position : positions)
    cells.insert(picture.cell_of(position));
  return {cells.begin(), cells.end()};
}

averaged_map as_map(const act::inspection::map_picture& picture) {
  return act::inspection::mean_of(std::span(&picture, 1));
}

// What a search found of each head; of several strengths the best.
void add_gains(act::report::page_calibration& page, const act::suite::searched_heads& search,
               const act::runtime::model_config& config) {
  if (search.trials.empty() || search.layers != config.layers || search.heads != config.heads) return;
  page.samples = search.samples;
  page.net_gains.resize(search.layers * search.heads);
  for (const act::suite::searched_heads::trial& trial : search.trials) {
    std::optional<long long>& net = page.net_gains[trial.layer * search.heads + trial.head];
    net = std::max(net.value_or(trial.net), trial.net);
  }
}

}  // namespace

picture_calibration picture_calibration_of(const command_line& line, const inspect_options& options,
                                           const act::runtime::model& model) {
  if (options.heads.empty()) {
    picture_calibration alone;
    alone.calibration.options.sinks = options.calibration.sinks.over({});
    alone.calibration.options.beta = options.beta;
    const std::string beta = act::report::formatted("%g", options.beta);
    alone.after = "after: each head alone, beta " + beta;
    alone.page.text = "each head's map as it were with this head alone calibrated (beta " + beta + ")";
    return alone;
  }
  const act::search::heads_file file = act::search::read_heads_file(options.heads);
  picture_calibration made{
      .calibration =
          calibration_for(model, options.calibration, options.heads, file,
                          {.program = line.name(), .force = options.force, .quiet = options.common.quiet}),
      .page = {}};
  act::calibration_options& how = made.calibration.options;
  if (made.calibration.heads.empty()) refuse("--heads", "names no heads, so nothing would be calibrated");
  if (line.given("--beta")) {
    if (!made.calibration.strengths.empty()) refuse("--beta", "doesn't go with heads that have their own");
    if (how.redistribute == act::redistribution::renormalised)
      refuse("--beta", "isn't what these heads are calibrated by: their file has a factor");
    how.beta = options.beta;
  }
  if (made.calibration.masks || how.columns != act::column_choice::sinks ||
      how.behave_as == act::compatibility::authors) {
    throw act::error(act::error_code::unsupported, options.heads,
                     "has options that pictures can't show: they are of calibrated sinks, not of other "
                     "columns, masked heads or the authors' code");
  }
  const bool by_beta =
      made.calibration.strengths.empty() && how.redistribute != act::redistribution::renormalised;
  const std::string beta = "beta " + act::report::formatted("%g", how.beta);
  const std::size_t count = made.calibration.heads.size();
  const std::string heads = std::to_string(count) + (count == 1 ? " head" : " heads");
  made.after = "after: " + heads + (by_beta ? ", " + beta : "");
  made.page.text = "the map in a pass with the " + heads + " of " +
                   act::report::visible_text(std::filesystem::path(options.heads).filename().string(), 60) +
                   " calibrated" + (by_beta ? " (" + beta + ")" : "");
  made.page.heads = made.calibration.heads;
  add_gains(made.page, act::suite::searched_heads_of(file, "", options.heads, ""), model.config);
  return made;
}

std::vector<act::layer_head> asked_maps(const inspect_options& options, const act::runtime::model& model) {
  std::vector<act::layer_head> heads;
  for (const std::string& text : options.maps) {
    act::layer_head one;
    const char* const end = text.data() + text.size();
    const auto layer = std::from_chars(text.data(), end, one.layer);
    const bool comma = layer.ec == std::errc{} && layer.ptr != end && *layer.ptr == ',';
    const auto head = comma ? std::from_chars(layer.ptr + 1, end, one.head) : layer;
    if (!comma || head.ec != std::errc{} || head.ptr != end)
      refuse("--map", "'" + text.substr(0, 40) + "' isn't a layer and a head, for example 3,2");
    if (one.layer >= model.config.layers || one.head >= model.config.heads) {
      refuse("--map", text.substr(0, 40) + " is outside the model, which has " +
                          std::to_string(model.config.layers) + " layers of " +
                          std::to_string(model.config.heads) + " heads, from 0");
    }
    heads.push_back(one);
  }
  return heads;
}

void write_drawings(const inspect_options& options, const std::string& name,
                    const act::inspection::inspection_summary& summary,
                    const act::inspection::prompt_observation& prompt, const picture_calibration& calibrated,
                    const std::vector<act::layer_head>& maps, const act::runtime::tokenizer& by) {
  write_common(options, name, summary, act::inspection::averages_of(prompt),
               cells_of(prompt.pictures.front(),
                        act::inspection::sinks_of_average(prompt, calibrated.calibration.options.sinks)),
               calibrated.after);
  std::vector<act::layer_head> chosen = maps;
  if (chosen.empty()) {
    const auto most =
        std::max_element(prompt.found.begin(), prompt.found.end(),
                         [](const auto& one, const auto& other) { return one.sink_mass < other.sink_mass; });
    const auto number = static_cast<std::size_t>(most - prompt.found.begin());
    chosen.push_back({number / prompt.heads, number % prompt.heads});
  }
  for (const act::layer_head& each : chosen) {
    const std::size_t number = each.layer * prompt.heads + each.head;
    const act::inspection::map_picture& picture = prompt.pictures[number];
    std::vector<std::size_t> positions;
    for (const act::inspection::observed_sink& sink : prompt.found[number].sinks)
      positions.push_back(sink.position);
    act::report::map_labels labels{
        .title = name + ": layer " + std::to_string(each.layer) + ", head " + std::to_string(each.head),
        .after = calibrated.after,
        .sinks = cells_of(picture, positions)};
    constexpr std::size_t readable = 64;
    if (picture.side() == prompt.tokens.size() && picture.side() <= readable) {
      for (const act::runtime::token_id token : prompt.tokens)
        labels.tokens.push_back(act::report::visible_text(act::report::token_text(by, token), 14));
    }
    write(options, "map-" + std::to_string(each.layer) + "-" + std::to_string(each.head),
          maps_drawing(as_map(picture), as_map(prompt.calibrated[number]), labels));
  }
}

void write_drawings(const inspect_options& options, const std::string& name,
                    const act::inspection::inspection_summary& summary,
                    const act::inspection::average_maps& maps, const picture_calibration& calibrated) {
  write_common(options, name, summary, maps, {}, calibrated.after);
}

}  // namespace act_program
