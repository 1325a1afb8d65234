// OPT: LayerNorm, learned positions that start at row 2, ReLU, biases; the 350m shape normalises after the
// blocks and has a narrower vocabulary matrix, Galactica's shapes drop biases.
#pragma once

#include <act/runtime/architecture/tensor_names.hpp>
#include <act/runtime/model.hpp>

namespace act::runtime {

class hf_config;

/// The configuration in a Hugging Face folder's config.json (model_type "opt"). Throws as `read_hf_opt`.
[[nodiscard]] model_config opt_config(const hf_config& file);

[[nodiscard]] tensor_names opt_tensor_names();

}  // namespace act::runtime
