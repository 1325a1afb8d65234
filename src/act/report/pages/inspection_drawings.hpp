// What inspection found as drawings, for the page and for papers: heads as a heat map, maps before and after
// calibration, each layer's map, how scores are distributed and where sinks stand (the paper's Figures 1, 2,
// 4 to 8).
#pragma once

#include <act/report/pages/drawing.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace act::inspection {
struct averaged_map;
struct inspection_summary;
}  // namespace act::inspection

namespace act::report {

/// A row a layer, a cell a head, twice: the share of the head's attention on its sinks, and on the first
/// token. Some 250 bytes a head.
[[nodiscard]] drawing heads_drawing(const inspection::inspection_summary& summary, const std::string& title);

/// The distribution of scores of first tokens, sinks and others (the paper's Figure 2).
[[nodiscard]] drawing scores_drawing(const inspection::inspection_summary& summary, const std::string& title);

/// Sinks by the tenth of their prompt (the paper's Figure 5).
[[nodiscard]] drawing places_drawing(const inspection::inspection_summary& summary, const std::string& title);

/// What stands around maps.
struct map_labels {
  std::string title;
  std::string before = "before", after = "after calibration";
  std::vector<std::size_t> sinks = {};   ///< cells whose columns are marked
  std::vector<std::string> tokens = {};  ///< a text for each cell; none: too many to be read, or means
};

/// A map before and after calibration, and what has changed, side by side (the paper's Figure 4). `after` may
/// have a side of 0: then `before` alone (Figure 1's upper row). Precondition: maps of one side.
[[nodiscard]] drawing maps_drawing(const inspection::averaged_map& before,
                                   const inspection::averaged_map& after, const map_labels& labels);

/// Each layer's map, six in a row (the paper's Figures 1, lower row, 6, 7 and 8).
[[nodiscard]] drawing layers_drawing(std::span<const inspection::averaged_map> layers,
                                     const std::string& title);

}  // namespace act::report
