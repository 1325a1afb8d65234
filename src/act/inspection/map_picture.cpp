#include <act/inspection/map_picture.hpp>

#include <algorithm>

namespace act::inspection {

map_picture::map_picture(std::size_t tokens, std::size_t side)
    : tokens_(tokens), side_(std::min(side, tokens)), shares_(side_ * side_, 0.0F) {}

void map_picture::add(const attention_view<float>& rows) noexcept {
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

}  // namespace act::inspection
