// A weight matrix as the checkpoint stores it: rows in a mapped file, which products expand a panel at a
// time.
//
// For linear.hpp, output_matrix.hpp and the embedding; product.hpp multiplies with it. A matrix may consist
// of parts of several tensors (keys under values, the rows of one head after another), of different storage
// types.
#pragma once

#include <act/runtime/checkpoint/tensor_view.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace act::runtime {

/// A row of a stored matrix: whole blocks of its type, at any alignment.
struct stored_row {
  tensor_type type = tensor_type::f32;
  const std::byte* bytes = nullptr;
};

/// Rows of stored numbers. Holds no bytes of the file (the model keeps it mapped), only those of parts that
/// had to be turned (`append_turned`).
class stored_matrix {
 public:
  stored_matrix() = default;
  /// No rows yet; each will have `columns` numbers.
  explicit stored_matrix(std::size_t columns) : columns_(columns) {}
  /// A whole tensor's rows.
  explicit stored_matrix(const tensor_view& whole) : columns_(whole.columns()) {
    append(whole, 0, whole.rows());
  }

  /// Rows [first, first + count) of `tensor` as the next ones. Precondition: they exist, and their length is
  /// columns().
  void append(const tensor_view& tensor, std::size_t first, std::size_t count);
  /// Columns [first, first + count) of `tensor`, which stores inputs first (GPT-2), as the next rows: copied
  /// in the tensor's own type, or as float32 where the type is one of blocks. Preconditions: they exist, the
  /// tensor's rows() is columns().
  void append_turned(const tensor_view& tensor, std::size_t first, std::size_t count);

  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
  [[nodiscard]] std::size_t size() const noexcept { return rows_ * columns_; }
  /// As stored.
  [[nodiscard]] std::size_t bytes() const noexcept;

  /// Precondition: `number` < rows(). Cost: the logarithm of the number of parts.
  [[nodiscard]] stored_row row(std::size_t number) const noexcept;
  /// Rows [first, first + out.size()). Precondition: they exist.
  void rows(std::size_t first, std::span<stored_row> out) const noexcept;
  /// Expands one row; `out` has columns() numbers. Precondition: `number` < rows().
  void copy_row(std::size_t number, std::span<float> out) const noexcept;
  /// One number. Cost: the expansion of its block. Precondition: there is such a row and column.
  [[nodiscard]] float at(std::size_t row, std::size_t column) const noexcept;

 private:
  struct part {
    tensor_type type;
    const std::byte* bytes;
    std::size_t row_bytes, first, count;  ///< `first`: the number in the matrix of its first row
  };
  [[nodiscard]] const part& part_of(std::size_t row) const noexcept;
  void add(part next);

  std::vector<part> parts_;
  std::vector<std::shared_ptr<const std::vector<std::byte>>> turned_;  ///< shared by copies of the matrix
  std::size_t rows_ = 0, columns_ = 0;
};

}  // namespace act::runtime
