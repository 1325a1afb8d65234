// The feed-forward block: down(act(up(x))), or down(act(gate(x)) * up(x)) for gated models.
#pragma once

#include <act/runtime/layers/linear.hpp>

#include <span>
#include <string_view>

namespace act::runtime {

enum class activation {
  silu,       ///< x / (1 + exp(-x))
  relu,       ///< max(x, 0)
  gelu,       ///< x Phi(x), by the error function
  gelu_tanh,  ///< the tanh approximation of GELU (GPT-2's "gelu_new")
};

/// By the names of `hf_config::activation_name`.
[[nodiscard]] activation activation_named(std::string_view name) noexcept;

/// function(x), in place.
void activate(activation function, std::span<float> x) noexcept;

struct feed_forward {
  activation function = activation::silu;
  bool gated = false;
  linear
      up;  ///< [inner, hidden], or [2 inner, hidden] with the gate's rows first: one product instead of two
  linear down;  ///< [hidden, inner]
};

/// y = feed_forward(x); x is [rows, hidden], y is [rows, hidden]. `inner` is resized as needed and can be
/// kept for reuse.
void apply(const feed_forward& block, const const_matrix_ref& x, matrix_ref y, matrix& inner);

}  // namespace act::runtime
