#include <act/runtime/layers/matrix.hpp>

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

namespace act::runtime {

void matrix::release::operator()(float* numbers) const noexcept {
  ::operator delete (numbers, std::align_val_t{alignment});
}

matrix::matrix(std::size_t rows, std::size_t cols) {
  resize(rows, cols);
}

matrix::matrix(const matrix& other) : matrix(other.rows_, other.cols_) {
  std::copy_n(other.data(), size(), data());
}

matrix::matrix(matrix&& other) noexcept
    : data_(std::move(other.data_)),
      rows_(std::exchange(other.rows_, 0)),
      cols_(std::exchange(other.cols_, 0)) {}

matrix& matrix::operator=(const matrix& other) {
  if (this == &other) return *this;
  resize(other.rows_, other.cols_);
  std::copy_n(other.data(), size(), data());
  return *this;
}

matrix& matrix::operator=(matrix&& other) noexcept {
  data_ = std::move(other.data_);
  rows_ = std::exchange(other.rows_, 0);
  cols_ = std::exchange(other.cols_, 0);
  return *this;
}

void matrix::resize(std::size_t rows, std::size_t cols) {
  if (rows * cols != size()) {
    data_.reset();
    rows_ = cols_ = 0;  // what it is, if memory runs out
    if (rows * cols != 0) {
      data_.reset(
          static_cast<float*>(::operator new (rows* cols * sizeof(float), std::align_val_t{alignment})));
    }
  }
  rows_ = rows;
  cols_ = cols;
}

matrix rows_at(const matrix& from, std::span<const std::uint32_t> rows) {
  matrix gathered(rows.size(), from.cols());
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy_n(from.row(rows[i]).data(), from.cols(), gathered.row(i).data());
  return gathered;
}

void copy(const const_matrix_ref& from, matrix_ref to) noexcept {
  for (std::size_t row = 0; row < from.rows(); ++row)
    std::copy_n(from.row(row).data(), from.cols(), to.row(row).data());
}

}  // namespace act::runtime
