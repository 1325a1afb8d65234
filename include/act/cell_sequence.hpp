// A sequence in a cache whose cells several sequences share: for maps whose rows see cells here and there
// (llama.cpp's unified cache, paged caches) and not one range of keys.
#pragma once

#include <act/version.hpp>

#include <cstddef>
#include <span>

namespace act::inline ACT_ABI {

/// Which cells hold a sequence's tokens, and which rows of a map are its own. A mask alone doesn't say this:
/// it has no order, and so no initial token. Row rows[i] is that of the i-th of the last rows.size() tokens
/// and sees the cells of the tokens up to its own.
struct cell_sequence {
  std::span<const std::size_t> cells;  ///< of the token at each position, up to the last row's own; distinct
  std::span<const std::size_t> rows;   ///< of the map, ascending; each belongs to one sequence
  std::span<double> carried_sums =
      {};  ///< raw column sums [H, cells.size()] of its earlier rows, by position, added to; empty: none
};

}  // namespace act::inline ACT_ABI
