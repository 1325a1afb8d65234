// The matrix type of the runtime: memory and its shape. What is computed with it is arithmetic.hpp's.
//
// Activations are row-major, one row a token: a packed batch of prompts is one tall matrix, whatever their
// lengths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace act::runtime {

/// Some rows and columns of a matrix that lives elsewhere. Passed by value; indices aren't checked.
template <class T>
class basic_matrix_ref {
 public:
  basic_matrix_ref(T* data, std::size_t rows, std::size_t cols, std::size_t stride) noexcept
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {}
  /// What may be written may be read.
  template <class U>
  requires(std::is_same_v<const U, T> && !std::is_const_v<U>)
      basic_matrix_ref(const basic_matrix_ref<U>& other)
  noexcept : basic_matrix_ref(other.data(), other.rows(), other.cols(), other.stride()) {}

  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::size_t cols() const noexcept { return cols_; }
  /// Numbers from one row's beginning to the next one's.
  [[nodiscard]] std::size_t stride() const noexcept { return stride_; }
  [[nodiscard]] T* data() const noexcept { return data_; }
  [[nodiscard]] T& operator()(std::size_t row, std::size_t col) const noexcept {
    return data_[row * stride_ + col];
  }
  [[nodiscard]] std::span<T> row(std::size_t number) const noexcept {
    return {data_ + number * stride_, cols_};
  }
  [[nodiscard]] basic_matrix_ref row_block(std::size_t first, std::size_t count) const noexcept {
    return {data_ + first * stride_, count, cols_, stride_};
  }
  [[nodiscard]] basic_matrix_ref columns(std::size_t first, std::size_t count) const noexcept {
    return {data_ + first, rows_, count, stride_};
  }

 private:
  T* data_;
  std::size_t rows_, cols_, stride_;
};

using matrix_ref = basic_matrix_ref<float>;
using const_matrix_ref = basic_matrix_ref<const float>;

/// Rows without gaps in memory of their own. Its beginning is aligned, so that sums over it are formed alike
/// wherever it lies. Indices aren't checked.
class matrix {
 public:
  static constexpr std::size_t alignment = 64;  ///< bytes: the widest vector of any processor

  matrix() noexcept = default;
  /// Its numbers are unspecified.
  matrix(std::size_t rows, std::size_t cols);
  matrix(const matrix& other);
  matrix(matrix&& other) noexcept;
  matrix& operator=(const matrix& other);
  matrix& operator=(matrix&& other) noexcept;
  ~matrix() = default;

  /// Where the size (rows x cols) stays, memory and numbers do too; otherwise the numbers are unspecified.
  void resize(std::size_t rows, std::size_t cols);

  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::size_t cols() const noexcept { return cols_; }
  [[nodiscard]] std::size_t size() const noexcept { return rows_ * cols_; }
  [[nodiscard]] float* data() noexcept { return data_.get(); }
  [[nodiscard]] const float* data() const noexcept { return data_.get(); }
  [[nodiscard]] float& operator()(std::size_t row, std::size_t col) noexcept {
    return data_[row * cols_ + col];
  }
  [[nodiscard]] float operator()(std::size_t row, std::size_t col) const noexcept {
    return data_[row * cols_ + col];
  }

  operator matrix_ref() noexcept { return {data(), rows_, cols_, cols_}; }
  operator const_matrix_ref() const noexcept { return {data(), rows_, cols_, cols_}; }
  [[nodiscard]] std::span<float> row(std::size_t number) noexcept { return matrix_ref(*this).row(number); }
  [[nodiscard]] std::span<const float> row(std::size_t number) const noexcept {
    return const_matrix_ref(*this).row(number);
  }
  [[nodiscard]] matrix_ref row_block(std::size_t first, std::size_t count) noexcept {
    return matrix_ref(*this).row_block(first, count);
  }
  [[nodiscard]] const_matrix_ref row_block(std::size_t first, std::size_t count) const noexcept {
    return const_matrix_ref(*this).row_block(first, count);
  }
  [[nodiscard]] matrix_ref columns(std::size_t first, std::size_t count) noexcept {
    return matrix_ref(*this).columns(first, count);
  }
  [[nodiscard]] const_matrix_ref columns(std::size_t first, std::size_t count) const noexcept {
    return const_matrix_ref(*this).columns(first, count);
  }

 private:
  struct release {
    void operator()(float* numbers) const noexcept;
  };
  std::unique_ptr<float[], release> data_;
  std::size_t rows_ = 0, cols_ = 0;
};

/// Biases, weights of a norm.
using row_vector = std::vector<float>;

/// Rows `rows` of `from`, in that order.
[[nodiscard]] matrix rows_at(const matrix& from, std::span<const std::uint32_t> rows);

/// to = from, of the same shape; they must not overlap.
void copy(const const_matrix_ref& from, matrix_ref to) noexcept;

}  // namespace act::runtime
