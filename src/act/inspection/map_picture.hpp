// An attention map at the size of a picture: tokens are put together where there are more than it has pixels.
// For showing a head's map (report/inspection_page.hpp). Not for measuring: that is done on the map itself.
#pragma once

#include <act/attention_view.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace act::inspection {

/// One head's map, `side` x `side` cells. Cell (r, c) is the share of attention that the rows of r give to
/// the tokens of c: a mean over rows, a sum over keys, so it stays within 0 .. 1 and a column that draws
/// attention shows however many tokens share its cell. With side = tokens the cells are the map's weights.
class map_picture {
 public:
  map_picture() = default;
  /// `side` is cut to `tokens`: a picture isn't larger than its map.
  map_picture(std::size_t tokens, std::size_t side)
      : tokens_(tokens), side_(std::min(side, tokens)), shares_(side_ * side_, 0.0F) {}

  [[nodiscard]] std::size_t tokens() const noexcept { return tokens_; }
  [[nodiscard]] std::size_t side() const noexcept { return side_; }
  [[nodiscard]] float share(std::size_t row, std::size_t column) const noexcept {
    return shares_[row * side_ + column];
  }

  /// The cell a position falls into.
  [[nodiscard]] std::size_t cell_of(std::size_t position) const noexcept {
    return position * side_ / tokens_;
  }
  /// The first position of a cell; that of cell side() is tokens().
  [[nodiscard]] std::size_t first_of(std::size_t cell) const noexcept {
    return (cell * tokens_ + side_ - 1) / side_;
  }

  /// Adds rows of the map, a view of one head that begins at visible.query_offset. Each row once.
  void add(const attention_view<float>& rows) noexcept {
    for (std::size_t i = 0; i < rows.queries; ++i) {
      const std::size_t position = rows.visible.query_offset + i;
      const std::size_t cell = cell_of(position);
      const float part = 1.0F / static_cast<float>(first_of(cell + 1) - first_of(cell));
      const float* const weights = rows.row(0, 0, i);
      for (std::size_t column = 0, key = 0; key <= position; ++column) {
        const std::size_t end = std::min(first_of(column + 1), position + 1);
        float sum = 0;
        for (; key < end; ++key)
          sum += weights[key];
        shares_[cell * side_ + column] += sum * part;
      }
    }
  }

 private:
  std::size_t tokens_ = 0;
  std::size_t side_ = 0;
  std::vector<float> shares_;
};

}  // namespace act::inspection
