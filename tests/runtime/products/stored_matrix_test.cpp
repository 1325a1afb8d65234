// A matrix of parts is the same as its parts' numbers one under another.
#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "runtime/products/stored_numbers.hpp"

using act::runtime::stored_matrix;
using act::runtime::tensor_type;

TEST_CASE("a stored matrix: parts of several tensors and types, row by row and number by number") {
  const stored::numbers first(tensor_type::q4_k, 6, 256, 1), second(tensor_type::f16, 5, 256, 2);
  stored_matrix matrix(256);
  matrix.append(first.view(), 2, 3);
  matrix.append(first.view(), 0, 1);
  matrix.append(second.view(), 1, 4);
  matrix.append(second.view(), 4, 0);
  REQUIRE(matrix.rows() == 8);
  CHECK(matrix.size() == 8 * 256);
  CHECK(matrix.bytes() == 4 * 144 + 4 * 512);
  const std::vector<const float*> expected{
      first.expanded.data() + 2 * 256,  first.expanded.data() + 3 * 256,
      first.expanded.data() + 4 * 256,  first.expanded.data(),
      second.expanded.data() + 256,     second.expanded.data() + 2 * 256,
      second.expanded.data() + 3 * 256, second.expanded.data() + 4 * 256};
  std::vector<act::runtime::stored_row> rows(6);
  matrix.rows(2, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i].type == matrix.row(2 + i).type);
    CHECK(rows[i].bytes == matrix.row(2 + i).bytes);
  }
  std::vector<float> row(256);
  for (std::size_t i = 0; i < 8; ++i) {
    matrix.copy_row(i, row);
    for (std::size_t k = 0; k < 256; ++k) {
      CHECK(row[k] == expected[i][k]);
      CHECK(matrix.at(i, k) == expected[i][k]);
    }
  }
}

TEST_CASE("a stored matrix: columns of a tensor that has inputs first, copies included") {
  for (const tensor_type type : {tensor_type::f32, tensor_type::bf16, tensor_type::q8_0}) {
    CAPTURE(act::runtime::name_of(type));
    const stored::numbers turned(type, 7, 32, 3);
    stored_matrix copy;
    {
      stored_matrix matrix(7);
      matrix.append_turned(turned.view(), 4, 5);
      matrix.append_turned(turned.view(), 0, 2);
      copy = matrix;
    }
    REQUIRE(copy.rows() == 7);
    for (std::size_t i = 0; i < 7; ++i) {
      const std::size_t column = i < 5 ? 4 + i : i - 5;
      for (std::size_t k = 0; k < 7; ++k)
        CHECK(copy.at(i, k) == turned.expanded[k * 32 + column]);
    }
  }
}
