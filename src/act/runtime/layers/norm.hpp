// RMSNorm and LayerNorm over packed rows.
#pragma once

#include <act/runtime/layers/matrix.hpp>

#include <cstddef>

namespace act::runtime {

enum class norm_kind {
  rms,    ///< x / rms(x) * weight (Llama, Mistral)
  layer,  ///< (x - mean) / deviation * weight + bias (OPT, GPT-2, GPT-NeoX, GPT-J)
};

/// A normalisation layer over stretches of `width` numbers: a whole row, or each head of it. `width` = 0 is a
/// missing layer: the identity.
struct norm {
  norm_kind kind = norm_kind::rms;
  float epsilon = 1e-5F;
  std::size_t width = 0;
  row_vector weight;  ///< `width` numbers, or as many as a row has; empty: all ones
  row_vector bias;    ///< the same; empty: none

  [[nodiscard]] bool present() const noexcept { return width != 0; }
};

/// y = norm(x), row by row; x and y have the same shape, whole stretches a row, and may be the same matrix.
void apply(const norm& layer, const const_matrix_ref& x, matrix_ref y);

}  // namespace act::runtime
