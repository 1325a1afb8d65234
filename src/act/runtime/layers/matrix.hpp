// The matrix type of the runtime, and the one place that includes Eigen's dense part.
//
// Activations are row-major, one row a token: a packed batch of prompts is one tall matrix, whatever their
// lengths.
#pragma once

// Threads are ours (act/parallel.hpp): they split every product in the same way whatever their number, so
// that results don't depend on it. Eigen's own threading chooses other block sizes for other numbers of
// threads.
#ifndef EIGEN_DONT_PARALLELIZE
#define EIGEN_DONT_PARALLELIZE
#endif

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <span>

namespace act::runtime {

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using row_vector = Eigen::Matrix<float, 1, Eigen::Dynamic, Eigen::RowMajor>;
using matrix_ref = Eigen::Ref<matrix, 0, Eigen::OuterStride<>>;
using const_matrix_ref = Eigen::Ref<const matrix, 0, Eigen::OuterStride<>>;

/// Eigen counts in signed integers, act in std::size_t; every size here was checked against memory long
/// before.
[[nodiscard]] constexpr Eigen::Index index(std::size_t value) noexcept {
  return static_cast<Eigen::Index>(value);
}
[[nodiscard]] constexpr std::size_t extent(Eigen::Index value) noexcept {
  return static_cast<std::size_t>(value);
}

/// Rows `rows` of `from`, in that order.
[[nodiscard]] matrix rows_at(const matrix& from, std::span<const std::uint32_t> rows);

/// Multiplications that are worth waking threads for. Below (a token or two of a small model) a product takes
/// as long as threads take to meet, and many times less where other processes keep a core busy.
inline constexpr std::size_t product_worth_threads = std::size_t{1} << 21;

}  // namespace act::runtime
