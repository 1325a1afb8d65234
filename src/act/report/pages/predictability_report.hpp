// How well heads predict each other, as JSON for programs and as a table and a picture for people.
#pragma once

#include <act/io/json_document.hpp>
#include <act/report/pages/heat_cell.hpp>

#include <string>

namespace act::inspection {
struct predictability;
}

namespace act::report {

struct page_heading;

/// `{"tokens": {"fitted", "held_out"}, "vectors": [{"vectors", "heads_per_layer", "head_size", "mean":
/// {"held_out", "pooled", "fitted"}, "per_head": [{"layer", "head", "references", "held_out", "pooled",
/// "fitted"}]}]}`. Lists have a value for each number of references, 1 first; `references` are [layer, head]
/// in the order in which they were taken. Means are over the heads that have so many.
[[nodiscard]] io::json_document to_json(const inspection::predictability& found);

/// The mean R^2 of all heads' vectors by the number of references, a row a kind of vectors, held out and (for
/// the most references) pooled and fitted.
[[nodiscard]] std::string predictability_table(const inspection::predictability& found);

/// A row a layer, a cell a head, shaded by its R^2 with the most references that it has, kinds side by side;
/// at the right the layer's means.
[[nodiscard]] std::string predictability_heat_map(const inspection::predictability& found,
                                                  heat_map_style style = {});

/// The same as a self-contained page without scripts: table and heat maps, each cell with its references.
[[nodiscard]] std::string predictability_page(const page_heading& heading,
                                              const inspection::predictability& found);

}  // namespace act::report
