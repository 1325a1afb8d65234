// A tensor inside a mapped model file: name, storage type, shape, bytes. What every file reader hands out and
// the model loader takes; it owns nothing and lives as long as the file it came from.
#pragma once

#include <act/runtime/checkpoint/tensor_type.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace act::runtime {

/// The reader that made it has checked: 1 or more extents, none 0, whose product times the storage size is
/// `bytes.size()` without overflow; rows are whole blocks. The bytes may be unaligned.
struct tensor_view {
  std::string_view name;
  tensor_type type = tensor_type::f32;
  std::vector<std::size_t> shape;  ///< row-major, slowest axis first, whatever the file's own order
  std::span<const std::byte> bytes;
  bool mapped = false;  ///< the bytes are an io::mapped_file's

  /// Numbers in a row: the extent of the fastest axis.
  [[nodiscard]] std::size_t columns() const noexcept { return shape.empty() ? 1 : shape.back(); }
  /// Rows: the product of all other extents (1 for a vector).
  [[nodiscard]] std::size_t rows() const noexcept {
    std::size_t product = 1;
    for (std::size_t axis = 0; axis + 1 < shape.size(); ++axis)
      product *= shape[axis];
    return product;
  }
  [[nodiscard]] std::size_t elements() const noexcept { return rows() * columns(); }
  /// The stored bytes of rows [first, first + count); precondition: they exist.
  [[nodiscard]] std::span<const std::byte> row_bytes(std::size_t first, std::size_t count) const noexcept {
    const std::size_t bytes_a_row = bytes.size() / rows();
    return bytes.subspan(first * bytes_a_row, count * bytes_a_row);
  }
};

}  // namespace act::runtime
