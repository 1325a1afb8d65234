#include <act/runtime/forward.hpp>
#include <act/runtime/gradients/attention_gradient.hpp>
#include <act/runtime/gradients/layer_gradient.hpp>
#include <act/runtime/gradients/norm_gradient.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/feed_forward.hpp>
#include <act/runtime/layers/linear.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/layers/norm.hpp>
#include <act/runtime/model.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace act::runtime {
namespace {

matrix copy_of(const const_matrix_ref& from) {
  matrix made(from.rows(), from.cols());
  copy(from, made);
  return made;
}

matrix normalised(const norm& by, const const_matrix_ref& x) {
  matrix made(x.rows(), x.cols());
  apply(by, x, made);
  return made;
}

matrix applied(const linear& layer, const const_matrix_ref& x) {
  matrix made(x.rows(), layer.outputs());
  apply(layer, x, made);
  return made;
}

}  // namespace

// What a layer computes on its way and its gradient needs. Missing norms leave their input empty where
// nothing else needs it.
struct layer_gradient::forward_pass {
  const_matrix_ref input;
  matrix normed;                        // what attention reads
  matrix raw_query = {}, raw_key = {};  // before their norms
  matrix query = {}, key_value = {};    // turned by their positions
  matrix attention = {};
  matrix branch = {};     // what the output matrix made of it, before its norm
  matrix sum = {};        // the residual stream behind attention, before its norm
  matrix residual = {};   // the same behind it: what the feed-forward block's norm reads
  matrix to_mlp = {};     // what the block reads
  matrix mlp = {};        // what it made, before its norm
  matrix whole_sum = {};  // the residual stream behind it, before its norm
};

layer_gradient::layer_gradient(const model& model, std::size_t number)
    : model_(model),
      layer_(model.layers[number]),
      number_(number),
      query_(layer_.query),
      key_value_(layer_.key_value),
      attention_output_(layer_.attention_output),
      feed_forward_(layer_.mlp) {}

layer_gradient::forward_pass layer_gradient::run(const layer_rows& rows,
                                                 const const_matrix_ref& input) const {
  const model_config& config = model_.config;
  const std::size_t kv_width = config.kv_heads * config.head_size;
  const bool parallel = config.residual == residual_form::parallel;
  const bool from_norm = config.residual == residual_form::from_norm;
  forward_pass made{.input = input, .normed = normalised(layer_.attention_norms.input, input)};
  made.key_value = applied(layer_.key_value, made.normed);
  made.query = applied(layer_.query, made.normed);
  const matrix_ref keys = made.key_value.columns(0, kv_width);
  if (layer_.key_norm.present()) {
    made.raw_key = copy_of(keys);
    apply(layer_.key_norm, keys, keys);
  }
  if (layer_.query_norm.present()) {
    made.raw_query = made.query;
    apply(layer_.query_norm, made.query, made.query);
  }
  const std::size_t which = config.attention_in(number_).rotary;
  rows.rotary.rotate(which, keys, config.kv_heads, config.head_size);
  rows.rotary.rotate(which, made.query, config.heads, config.head_size);
  made.attention = matrix(input.rows(), config.heads * config.head_size);
  attention_scratch scratch;
  attend(attention_shape_of(config, number_), rows.sequences, made.query, keys,
         made.key_value.columns(kv_width, kv_width), {}, made.attention, scratch);

  // The residual stream behind attention is that before it where the branches are parallel.
  made.branch = applied(layer_.attention_output, made.attention);
  made.sum = copy_of(from_norm ? const_matrix_ref(made.normed) : input);
  if (!parallel) add(made.sum, normalised(layer_.attention_norms.output, made.branch));
  made.residual = parallel ? made.sum : normalised(layer_.attention_norms.sum, made.sum);
  made.to_mlp = normalised(layer_.feed_forward_norms.input, made.residual);
  const branch_norms& after = layer_.feed_forward_norms;
  if (!parallel && (after.output.present() || after.sum.present())) {
    matrix inner;
    made.mlp = matrix(input.rows(), input.cols());
    apply(layer_.mlp, made.to_mlp, made.mlp, inner);
    made.whole_sum = from_norm ? made.to_mlp : made.residual;
    add(made.whole_sum, normalised(after.output, made.mlp));
  }
  return made;
}

void layer_gradient::behind_attention(const forward_pass& forward, matrix& gradient, matrix& of_heads) const {
  of_heads.resize(gradient.rows(), forward.attention.cols());
  if (model_.config.residual == residual_form::parallel) {
    attention_output_.pull_back(gradient, of_heads);
    return;
  }
  const branch_norms& after = layer_.feed_forward_norms;
  runtime::pull_back(after.sum, forward.whole_sum, gradient);
  matrix branch = gradient;
  runtime::pull_back(after.output, forward.mlp, branch);
  feed_forward_.pull_back(forward.to_mlp, branch);
  // What the block read is what its branch is added to, or comes from that by a norm.
  if (model_.config.residual == residual_form::from_norm) {
    add(gradient, branch);
    runtime::pull_back(after.input, forward.residual, gradient);
  } else {
    runtime::pull_back(after.input, forward.residual, branch);
    add(gradient, branch);
  }
  runtime::pull_back(layer_.attention_norms.sum, forward.sum, gradient);
  branch = gradient;
  runtime::pull_back(layer_.attention_norms.output, forward.branch, branch);
  attention_output_.pull_back(branch, of_heads);
}

void layer_gradient::before_attention(const layer_rows& rows, const forward_pass& forward,
                                      const const_matrix_ref& of_heads, matrix& gradient) const {
  const model_config& config = model_.config;
  const std::size_t kv_width = config.kv_heads * config.head_size;
  matrix of_query(of_heads.rows(), of_heads.cols()), of_key_value(of_heads.rows(), 2 * kv_width);
  attention_gradient({.shape = attention_shape_of(config, number_),
                      .sequences = rows.sequences,
                      .query = forward.query,
                      .key_value = forward.key_value,
                      .out = forward.attention},
                     of_heads, of_query, of_key_value);
  const matrix_ref of_key = of_key_value.columns(0, kv_width);
  const std::size_t which = config.attention_in(number_).rotary, count = forward.input.rows();
  for (std::size_t first = 0; first < of_query.rows(); first += count) {
    rows.rotary.rotate_back(which, of_query.row_block(first, count), config.heads, config.head_size);
    rows.rotary.rotate_back(which, of_key.row_block(first, count), config.kv_heads, config.head_size);
  }
  runtime::pull_back(layer_.query_norm, forward.raw_query, of_query);
  runtime::pull_back(layer_.key_norm, forward.raw_key, of_key);
  matrix branch(gradient.rows(), gradient.cols()), more(gradient.rows(), gradient.cols());
  query_.pull_back(of_query, branch);
  key_value_.pull_back(of_key_value, more);
  add(branch, more);
  const norm& before = layer_.attention_norms.input;
  if (config.residual == residual_form::parallel) {
    matrix of_mlp = gradient;
    feed_forward_.pull_back(forward.to_mlp, of_mlp);
    runtime::pull_back(layer_.feed_forward_norms.input, forward.input, of_mlp);
    add(gradient, of_mlp);
  }
  if (config.residual == residual_form::from_norm) {
    add(gradient, branch);
    runtime::pull_back(before, forward.input, gradient);
  } else {
    runtime::pull_back(before, forward.input, branch);
    add(gradient, branch);
  }
}

void layer_gradient::pull_back(const layer_rows& rows, const const_matrix_ref& input, matrix& gradient,
                               matrix& of_heads) const {
  const forward_pass forward = run(rows, input);
  behind_attention(forward, gradient, of_heads);
  before_attention(rows, forward, of_heads, gradient);
}

void layer_gradient::pull_back_to_heads(const layer_rows& rows, const const_matrix_ref& input,
                                        matrix& gradient, matrix& of_heads) const {
  behind_attention(run(rows, input), gradient, of_heads);
}

}  // namespace act::runtime
