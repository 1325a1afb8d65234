// A map at the size of a picture.
#include <act/inspection/map_picture.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace {

// Uniform causal attention, one row block after another.
act::inspection::map_picture uniform(std::size_t tokens, std::size_t side, std::size_t block) {
  act::inspection::map_picture picture(tokens, side);
  for (std::size_t first = 0; first < tokens; first += block) {
    const std::size_t rows = std::min(block, tokens - first), keys = first + rows;
    std::vector<float> weights(rows * keys, 0.0F);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j <= first + i; ++j)
        weights[i * keys + j] = 1.0F / static_cast<float>(first + i + 1);
    }
    picture.add(
        act::attention_view<float>::packed(weights.data(), 1, 1, rows, keys, {.query_offset = first}));
  }
  return picture;
}

}  // namespace

TEST_CASE("with as many cells as tokens a picture is the map") {
  const act::inspection::map_picture picture = uniform(7, 100, 3);
  CHECK(picture.side() == 7);
  for (std::size_t row = 0; row < 7; ++row) {
    for (std::size_t column = 0; column < 7; ++column) {
      CHECK(picture.share(row, column) == (column <= row ? 1.0F / static_cast<float>(row + 1) : 0.0F));
    }
  }
}

TEST_CASE("every token is in one cell, and each row of cells shares out all of its attention") {
  for (std::size_t tokens = 1; tokens < 40; ++tokens) {
    for (std::size_t side = 1; side <= tokens; ++side) {
      const act::inspection::map_picture picture = uniform(tokens, side, 8);
      CHECK(picture.first_of(0) == 0);
      CHECK(picture.first_of(side) == tokens);
      for (std::size_t position = 0; position < tokens; ++position) {
        const std::size_t cell = picture.cell_of(position);
        CHECK(picture.first_of(cell) <= position);
        CHECK(position < picture.first_of(cell + 1));
      }
      for (std::size_t row = 0; row < side; ++row) {
        float sum = 0;
        for (std::size_t column = 0; column < side; ++column) {
          sum += picture.share(row, column);
          if (column > row) CHECK(picture.share(row, column) == 0.0F);
        }
        CHECK(sum == doctest::Approx(1).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("a cell is the mean over its rows of the sum over its tokens") {
  // 5 tokens in 2 cells: {0, 1, 2} and {3, 4}.
  const act::inspection::map_picture picture = uniform(5, 2, 2);
  CHECK(picture.share(0, 0) == doctest::Approx(1));
  CHECK(picture.share(1, 0) == doctest::Approx((3.0 / 4 + 3.0 / 5) / 2));
  CHECK(picture.share(1, 1) == doctest::Approx((1.0 / 4 + 2.0 / 5) / 2));
}
