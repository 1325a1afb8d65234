// The vocabulary's matrix (embedding or output): rows are expanded to float only when a token needs them.
//
// A 49,152-word vocabulary is a fifth of SmolLM2's weights. Scoring a prompt needs one row a token and one
// row a label word, so keeping this matrix as the file stores it saves that memory and the time to expand it.
#pragma once

#include <act/runtime/checkpoint/tensor_view.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace act::runtime {

/// Non-owning: the bytes belong to the mapped file that the model keeps alive.
class token_rows {
 public:
  token_rows() = default;
  explicit token_rows(tensor_view stored) : stored_(std::move(stored)) {}

  [[nodiscard]] std::size_t count() const noexcept { return stored_.rows(); }
  [[nodiscard]] std::size_t width() const noexcept { return stored_.columns(); }
  [[nodiscard]] std::size_t stored_bytes() const noexcept { return stored_.bytes.size(); }

  /// Expands one row. Preconditions: `token` < count(), `out` has width() numbers.
  void copy_row(std::size_t token, std::span<float> out) const noexcept;

 private:
  tensor_view stored_;
};

}  // namespace act::runtime
