// Inspection as one self-contained HTML page: heat maps of all heads and, of a prompt, every head's attention
// map with its sinks marked, before and after calibration; for pointer, keyboard and phone, light or dark.
// Nothing is loaded from anywhere; without scripts the heat maps, charts and tables remain.
#pragma once

#include <act/head_set.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace act::inspection {
class average_maps;
struct inspection_summary;
struct prompt_observation;
}  // namespace act::inspection
namespace act::runtime {
class tokenizer;
}

namespace act::report {

/// What a page may hold, before base64 makes 4 bytes of 3: with these it stays under 5 MB up to 1,600 heads.
/// Maps and their changes take as much each.
inline constexpr std::size_t page_map_bytes = 1'250'000;
inline constexpr std::size_t page_received_bytes = 400'000;

/// Sinks a page lists at most, each head as many: about 25 bytes each. Of more tokens than this it names
/// those that begin and end a cell or are listed as sinks.
inline constexpr std::size_t page_sinks_at_most = 12'000;
inline constexpr std::size_t page_tokens_at_most = 16'384;

/// The side of the pictures (observe_options::picture_side) that fit into a page: as many cells as the prompt
/// has tokens, unless all heads' triangles together exceed page_map_bytes; at most 512, what a screen shows.
[[nodiscard]] std::size_t page_picture_side(std::size_t all_heads, std::size_t tokens);

/// What stands at the top of a page; any text.
struct page_heading {
  std::string title;
  std::vector<std::string> lines;
};

/// What maps are shown calibrated by.
struct page_calibration {
  std::string text = {};  ///< what "after" is; any text
  head_set heads = {};    ///< heads that are calibrated together, framed in the heat maps; may be empty
  /// What a search found of each head alone, samples gained less lost, [layer * heads + head]; none where it
  /// wasn't tried. Empty: nothing is known.
  std::vector<std::optional<long long>> net_gains = {};
  std::size_t samples = 0;  ///< that the search had
};

/// The bytes a share and a change are stored as: 255 sqrt(share), and 128 + 127 sqrt(|change|) with the
/// change's sign. Small ones, of which a map mostly consists, keep their differences (share 0.001 is byte 8,
/// and its neighbours are 12 % away).
[[nodiscard]] std::uint8_t share_byte(double share) noexcept;
[[nodiscard]] std::uint8_t change_byte(double change) noexcept;

/// The page of one prompt: of every head, layer and of all together the map, and where the prompt has
/// calibrated pictures (by `calibration`) the map after and the difference. Preconditions:
/// `prompt` has pictures (of page_picture_side); `summary` is its own. Tables have `top` lines. Size: at most
/// twice page_map_bytes, and page_received_bytes, in base64, the tokens' texts and the sinks; the page says
/// what was left out.
[[nodiscard]] std::string inspection_page(const page_heading& heading,
                                          const inspection::inspection_summary& summary,
                                          const inspection::prompt_observation& prompt,
                                          const runtime::tokenizer& by, std::size_t top,
                                          const page_calibration& calibration = {});

/// The page of many prompts: averages, and each layer's mean maps. Precondition: something was added to
/// `maps`, pictures of a side of at most 64.
[[nodiscard]] std::string inspection_page(const page_heading& heading,
                                          const inspection::inspection_summary& summary,
                                          const inspection::average_maps& maps, const runtime::tokenizer& by,
                                          std::size_t top, const page_calibration& calibration = {});

}  // namespace act::report
