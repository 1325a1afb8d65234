// An attention map at the size of a picture: tokens are put together where there are more than it has pixels.
// For showing a head's map (report/inspection_page.hpp). Not for measuring: that is done on the map itself.
#pragma once

#include <act/attention_view.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace act::inspection {

/// One head's map, `side` x `side` cells. Cell (r, c) is the share of attention that the rows of r give to
/// the tokens of c: a mean over rows, a sum over keys, so it stays within 0 .. 1 and a column that draws
/// attention shows however many tokens share its cell. With side = tokens the cells are the map's weights.
class map_picture {
 public:
  map_picture() = default;
  /// `side` is cut to `tokens`: a picture isn't larger than its map.
  map_picture(std::size_t tokens, std::size_t side);

  [[nodiscard]] std::size_t tokens() const noexcept { return tokens_; }
  [[nodiscard]] std::size_t side() const noexcept { return side_; }
  [[nodiscard]] float share(std::size_t row, std::size_t column) const noexcept {
    return shares_[row * side_ + column];
  }
  /// All of them, [row][column]; those above the diagonal are 0.
  [[nodiscard]] std::span<const float> shares() const noexcept { return shares_; }

  /// The cell a position falls into.
  [[nodiscard]] std::size_t cell_of(std::size_t position) const noexcept {
    return position * side_ / tokens_;
  }
  /// The first position of a cell; that of cell side() is tokens().
  [[nodiscard]] std::size_t first_of(std::size_t cell) const noexcept {
    return (cell * tokens_ + side_ - 1) / side_;
  }

  /// Adds rows of the map, a view of one head that begins at visible.query_offset. Each row once.
  void add(const attention_view<float>& rows) noexcept;

 private:
  std::size_t tokens_ = 0;
  std::size_t side_ = 0;
  std::vector<float> shares_;
};

}  // namespace act::inspection
