// Which layers a head search looks at: "FIRST:LAST", counted from 0, both included, negative from the end.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace act::search {

/// Inclusive at both ends.
struct layer_range {
  std::size_t first = 0;
  std::size_t last = 0;

  [[nodiscard]] std::size_t count() const noexcept { return last - first + 1; }
  [[nodiscard]] bool contains(std::size_t layer) const noexcept { return first <= layer && layer <= last; }
  friend bool operator==(const layer_range&, const layer_range&) = default;
};

/// The paper's range: third layer to second to last (section 4).
inline constexpr std::string_view default_layer_range = "2:-2";

/// That range in a model of `layers` layers; one of less than four has none.
[[nodiscard]] std::optional<layer_range> paper_layer_range(std::size_t layers) noexcept;

/// UniBias's range: the published code looks at layers 16 .. 31 of Llama 2's 32, so the upper half, the last
/// one included. What heads of lower layers write isn't made for the output matrix yet.
[[nodiscard]] layer_range unibias_layer_range(std::size_t layers) noexcept;

/// Reads "2:-2" for a model of `layers` layers. Throws `error` (invalid_option) whose
/// where() is `asked_by`, with a range that the model has.
[[nodiscard]] layer_range parse_layer_range(std::string_view text, std::size_t layers,
                                            std::string_view asked_by = "layer range");

}  // namespace act::search
