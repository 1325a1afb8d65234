// The colours of pictures, in one place for pages, their scripts and drawings: shares of attention from
// nothing to all, and changes from less to more, on light and on dark paper. Both go by square roots, so that
// small ones, of which maps mostly consist, keep their differences.
#pragma once

#include <act/io/json_document.hpp>

#include <string>

namespace act::report {

/// Shares are drawn in levels 0 (nothing) .. share_levels (all).
inline constexpr int share_levels = 20;
/// Changes in -change_levels .. change_levels; half of a row's attention or more has the strongest.
inline constexpr int change_levels = 10;

[[nodiscard]] int share_level(double share) noexcept;
[[nodiscard]] int change_level(double change) noexcept;

/// A level's class: of shares s0, s1 ..., of changes l1, l2 ... (less), m1, m2 ... (more) and m0.
[[nodiscard]] std::string share_class(int level);
[[nodiscard]] std::string change_class(int level);
/// The class of text, as a fill, that can be read on a change's level.
[[nodiscard]] std::string on_change_class(int level);

/// Rules for all classes: background and, in drawings, fill; on s0, s1 ... a colour of text that can be read.
/// `tN` is that colour as a fill; of changes c0, c1 ..., whichever way they go. For light paper.
[[nodiscard]] std::string light_picture_classes();
/// The same for a page that follows the reader's choice of light or dark.
[[nodiscard]] std::string picture_classes();

/// What a script mixes colours from: {"light": {"shares": [[r, g, b], ...], "changes": [...]}, "dark": ...},
/// evenly spaced stops from nothing to all, and from less over none to more.
[[nodiscard]] io::json_document picture_palettes();

}  // namespace act::report
