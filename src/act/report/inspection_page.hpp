// Inspection as one self-contained HTML page: heat maps of all heads and, of a prompt, every head's attention
// map with its sinks marked. Nothing is loaded from anywhere; without scripts the heat maps and tables
// remain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace act::inspection {
struct inspection_summary;
struct prompt_observation;
}  // namespace act::inspection
namespace act::runtime {
class tokenizer;
}

namespace act::report {

/// What a page may hold of maps, before base64 makes 4 bytes of 3: with these a page stays under 6 MB.
inline constexpr std::size_t page_map_bytes = 2'250'000;
inline constexpr std::size_t page_received_bytes = 750'000;

/// Sinks a page lists at most, each head as many: about 25 bytes each.
inline constexpr std::size_t page_sinks_at_most = 30'000;

/// The side of the pictures (observe_options::picture_side) that fit into a page: as many cells as the prompt
/// has tokens, unless all heads' triangles together exceed page_map_bytes; at most 512, what a screen shows.
[[nodiscard]] std::size_t page_picture_side(std::size_t all_heads, std::size_t tokens);

/// What stands at the top of a page; any text.
struct page_heading {
  std::string title;
  std::vector<std::string> lines;
};

/// The byte a share is stored as, 255 sqrt(share): small ones, of which a map mostly consists, keep their
/// differences (share 0.001 is byte 8, and its neighbours are 12 % away).
[[nodiscard]] std::uint8_t share_byte(double share) noexcept;

/// "#rrggbb": white over orange to dark red along the square root of the share. The script has the same
/// stops.
[[nodiscard]] std::string share_colour(double share);

/// The page of one prompt. Preconditions: `prompt` has pictures (of page_picture_side); `summary` is its own.
/// Tables have `top` lines. Size: at most page_map_bytes and page_received_bytes in base64, the tokens' texts
/// and the sinks; the page says what was left out.
[[nodiscard]] std::string inspection_page(const page_heading& heading,
                                          const inspection::inspection_summary& summary,
                                          const inspection::prompt_observation& prompt,
                                          const runtime::tokenizer& by, std::size_t top);

/// The page of many prompts: averages, no maps.
[[nodiscard]] std::string inspection_page(const page_heading& heading,
                                          const inspection::inspection_summary& summary,
                                          const runtime::tokenizer& by, std::size_t top);

}  // namespace act::report
