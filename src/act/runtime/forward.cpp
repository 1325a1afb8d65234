#include <act/error.hpp>
#include <act/runtime/calibrated_passes.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/kv_cache.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/products/profile.hpp>
#include <act/runtime/shared_prompts.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// From the layer's input: buffers.normed, what attention reads, and buffers.key_value, its keys not yet
// turned by their positions.
void project_keys_and_values(const model& model, std::size_t number, const matrix& hidden,
                             layer_buffers& buffers) {
  const model_config& config = model.config;
  const decoder_layer& layer = model.layers[number];
  const std::size_t kv_width = config.kv_heads * config.head_size;
  buffers.normed.resize(hidden.rows(), hidden.cols());
  apply(layer.attention_norms.input, hidden, buffers.normed);
  buffers.key_value.resize(hidden.rows(), 2 * kv_width);
  apply(layer.key_value, buffers.normed, buffers.key_value, operation::key_value);
  const matrix_ref keys = buffers.key_value.columns(0, kv_width);
  if (layer.key_norm.present()) apply(layer.key_norm, keys, keys);
}

// From buffers.normed: buffers.query, not yet turned by their positions.
void project_queries(const model& model, std::size_t number, layer_buffers& buffers) {
  const decoder_layer& layer = model.layers[number];
  buffers.query.resize(buffers.normed.rows(), model.config.heads * model.config.head_size);
  apply(layer.query, buffers.normed, buffers.query, operation::query);
  if (layer.query_norm.present()) apply(layer.query_norm, buffers.query, buffers.query);
}

void turn_keys(const model_config& config, std::size_t number, const layer_rows& rows,
               layer_buffers& buffers) {
  const profile_scope scope(operation::rotary);
  const matrix_ref keys = buffers.key_value.columns(0, config.kv_heads * config.head_size);
  rows.rotary.rotate(config.attention_in(number).rotary, keys, config.kv_heads, config.head_size);
}

// What plain attention of these sequences takes; a calibrated head's comes on top of the time, not of this.
profile_scope attention_scope(const model_config& config, std::span<const attention_sequence> sequences) {
  double pairs = 0, bytes = 0;
  for (const attention_sequence& each : sequences) {
    const auto queries = static_cast<double>(each.queries), all = static_cast<double>(each.positions());
    pairs += queries * (all - (queries - 1) / 2);
    bytes += 2 * all * static_cast<double>(config.kv_heads * config.head_size) *
             (each.past.half_keys != nullptr ? sizeof(float16) : sizeof(float));
  }
  return profile_scope(operation::attention, 2 * pairs * static_cast<double>(config.heads * config.head_size),
                       bytes);
}

// The rest of a layer, behind project_keys_and_values. `attend_to(sequences)` goes from buffers.query to
// buffers.attention; `sequences` are `attending`, with their last query alone where no other one is wanted
// and `needs_every_query` doesn't ask for all.
template <class Attend>
void attend_and_finish(const model& model, std::size_t number, const layer_rows& rows,
                       std::vector<attention_sequence> attending, bool needs_every_query, matrix& hidden,
                       layer_buffers& buffers, const Attend& attend_to) {
  const model_config& config = model.config;
  const decoder_layer& layer = model.layers[number];
  const bool last_only = rows.wanted == rows_wanted::last_of_each_sequence;
  const bool every_query = !last_only || needs_every_query;
  std::vector<std::uint32_t> last_rows;
  if (last_only) {
    for (attention_sequence& sequence : attending) {
      last_rows.push_back(static_cast<std::uint32_t>(sequence.first_query + sequence.queries - 1));
      if (every_query) continue;
      sequence.first_query = last_rows.size() - 1;
      sequence.queries = 1;
    }
  }

  if (!every_query) buffers.normed = rows_at(buffers.normed, last_rows);
  project_queries(model, number, buffers);
  {
    const profile_scope scope(operation::rotary);
    rows.rotary.rotate(config.attention_in(number).rotary, buffers.query, config.heads, config.head_size,
                       every_query ? std::span<const std::uint32_t>{} : last_rows);
  }
  buffers.attention.resize(buffers.query.rows(), buffers.query.cols());
  {
    const profile_scope scope = attention_scope(config, attending);
    attend_to(std::span<const attention_sequence>(attending));
  }

  if (last_only) hidden = rows_at(hidden, last_rows);
  if (last_only && every_query) {
    finish_layer(config, layer, rows_at(buffers.attention, last_rows), hidden, buffers);
  } else {
    finish_layer(config, layer, buffers.attention, hidden, buffers);
  }
}

// From buffers.query to buffers.attention, as `calibration` says.
void attend(const model_config& config, std::size_t number, std::span<const attention_sequence> sequences,
            const attention_calibration& calibration, layer_buffers& buffers) {
  const std::size_t kv_width = config.kv_heads * config.head_size;
  attend(attention_shape_of(config, number), sequences, buffers.query, buffers.key_value.columns(0, kv_width),
         buffers.key_value.columns(kv_width, kv_width), calibration, buffers.attention, buffers.attending);
}

}  // namespace

packed_prompts pack(const model_config& config, std::span<const std::vector<token_id>> prompts) {
  packed_prompts packed;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::vector<token_id>& prompt = prompts[i];
    const std::string where = "prompt " + std::to_string(i);
    if (prompt.empty()) throw error(error_code::invalid_input, where, "has no tokens");
    if (prompt.size() > config.context) {
      throw error(error_code::invalid_input, where,
                  "has " + std::to_string(prompt.size()) + " tokens, the model's context is " +
                      std::to_string(config.context) +
                      (config.context_ends_by.empty() ? "" : " (" + config.context_ends_by + ")") +
                      "; shorten the text");
    }
    packed.sequences.push_back({.first_query = packed.rows(),
                                .queries = prompt.size(),
                                .first_key = packed.rows(),
                                .keys = prompt.size()});
    for (std::size_t at = 0; at < prompt.size(); ++at) {
      if (prompt[at] < 0 || static_cast<std::size_t>(prompt[at]) >= config.vocabulary) {
        throw error(error_code::invalid_input, where,
                    "token id " + std::to_string(prompt[at]) + " is outside the model's vocabulary of " +
                        std::to_string(config.vocabulary) + "; tokenizer and model don't belong together");
      }
      packed.tokens.push_back(prompt[at]);
      packed.positions.push_back(static_cast<std::uint32_t>(at));
    }
  }
  return packed;
}

matrix embed(const model& model, const packed_prompts& prompts) {
  const std::size_t width = model.embedding.columns();
  matrix rows(prompts.rows(), width);
  for (std::size_t row = 0; row < prompts.rows(); ++row)
    model.embedding.copy_row(static_cast<std::size_t>(prompts.tokens[row]), rows.row(row));
  if (model.config.embedding_scale != 1.0F) {
    for (std::size_t row = 0; row < rows.rows(); ++row)
      scale(rows.row(row), model.config.embedding_scale);
  }
  if (model.project_in.outputs() != 0) {
    matrix projected(rows.rows(), model.config.hidden);
    apply(model.project_in, rows, projected);
    rows = std::move(projected);
  }
  if (model.config.learned_positions) {
    for (std::size_t row = 0; row < prompts.rows(); ++row) {
      add(rows.row(row), model.positions.row(prompts.positions[row] + model.config.position_offset));
    }
  }
  if (model.embedding_norm.present()) apply(model.embedding_norm, rows, rows);
  return rows;
}

attention_shape attention_shape_of(const model_config& config, std::size_t layer) {
  const layer_attention of = config.attention_in(layer);
  return {.heads = config.heads,
          .kv_heads = config.kv_heads,
          .head_size = config.head_size,
          .scale = of.scale != 0 ? of.scale : 1.0F / std::sqrt(static_cast<float>(config.head_size)),
          .window = of.window,
          .soft_cap = config.attention_soft_cap,
          .slopes = config.slopes};
}

void project_heads(const model& model, std::size_t number, const matrix& hidden, layer_buffers& buffers) {
  project_keys_and_values(model, number, hidden, buffers);
  project_queries(model, number, buffers);
}

void finish_layer(const model_config& config, const decoder_layer& layer, const const_matrix_ref& attention,
                  matrix_ref hidden, layer_buffers& buffers) {
  const branch_norms& of_attention = layer.attention_norms;
  const branch_norms& of_feed_forward = layer.feed_forward_norms;
  const bool from_norm = config.residual == residual_form::from_norm;
  buffers.normed.resize(hidden.rows(), hidden.cols());
  buffers.branch.resize(hidden.rows(), hidden.cols());
  if (config.residual == residual_form::parallel) {
    apply(of_feed_forward.input, hidden, buffers.normed);
    apply(layer.attention_output, attention, buffers.branch, operation::attention_output);
    add(hidden, buffers.branch);
    apply(layer.mlp, buffers.normed, buffers.branch, buffers.inner);
    add(hidden, buffers.branch);
    return;
  }
  if (from_norm) apply(of_attention.input, hidden, hidden);
  apply(layer.attention_output, attention, buffers.branch, operation::attention_output);
  if (of_attention.output.present()) apply(of_attention.output, buffers.branch, buffers.branch);
  add(hidden, buffers.branch);
  if (of_attention.sum.present()) apply(of_attention.sum, hidden, hidden);

  apply(of_feed_forward.input, hidden, buffers.normed);
  if (from_norm) copy(buffers.normed, hidden);
  apply(layer.mlp, buffers.normed, buffers.branch, buffers.inner);
  if (of_feed_forward.output.present()) apply(of_feed_forward.output, buffers.branch, buffers.branch);
  add(hidden, buffers.branch);
  if (of_feed_forward.sum.present()) apply(of_feed_forward.sum, hidden, hidden);
}

attention_calibration model_calibration::in_layer(std::size_t layer) const {
  attention_calibration of{.heads = heads.in_layer(layer),
                           .options = options,
                           .trackers = nullptr,
                           .subsets = subsets,
                           .masks = masks};
  if (strengths.empty()) return of;
  if (strengths.size() != heads.size()) {
    throw error(error_code::invalid_shape, "strengths", "need one for each calibrated head, or none");
  }
  std::size_t number = 0;
  for (const layer_head& each : heads) {
    if (each.layer == layer) of.strengths.push_back(strengths[number]);
    ++number;
  }
  return of;
}

void run_layer(const model& model, std::size_t number, const layer_rows& rows,
               const attention_calibration& calibration, matrix& hidden, layer_buffers& buffers) {
  project_keys_and_values(model, number, hidden, buffers);
  turn_keys(model.config, number, rows, buffers);
  // Calibration looks at every row of a map.
  attend_and_finish(model, number, rows, {rows.sequences.begin(), rows.sequences.end()},
                    !calibration.heads.empty(), hidden, buffers,
                    [&](std::span<const attention_sequence> sequences) {
                      attend(model.config, number, sequences, calibration, buffers);
                    });
}

void run_layer_with_cache(const model& model, std::size_t number, const layer_rows& rows,
                          const attention_calibration& calibration, matrix& hidden, layer_buffers& buffers,
                          kv_cache& cache) {
  project_keys_and_values(model, number, hidden, buffers);
  if (!cache.turns_keys()) turn_keys(model.config, number, rows, buffers);
  cache.append(number, buffers.key_value);
  attention_sequence sequence = rows.sequences.front();
  sequence.past = cache.past(number);
  sequence.keys = 0;
  attend_and_finish(model, number, rows, {sequence}, !calibration.heads.empty(), hidden, buffers,
                    [&](std::span<const attention_sequence> sequences) {
                      attend(model.config, number, sequences, calibration, buffers);
                    });
}

void run_layer_with_alternatives(const model& model, std::size_t number, const layer_rows& rows,
                                 const attention_calibration& calibration, matrix& hidden,
                                 layer_buffers& buffers, layer_alternatives& alternatives) {
  const model_config& config = model.config;
  const std::size_t kv_width = config.kv_heads * config.head_size;
  project_keys_and_values(model, number, hidden, buffers);
  turn_keys(config, number, rows, buffers);
  attend_and_finish(model, number, rows, {rows.sequences.begin(), rows.sequences.end()}, true, hidden,
                    buffers, [&](std::span<const attention_sequence> sequences) {
                      alternatives.attention.resize(std::max<std::size_t>(1, calibration.strengths.size()));
                      for (matrix& each : alternatives.attention)
                        each.resize(buffers.attention.rows(), buffers.attention.cols());
                      alternatives.found.resize(sequences.size() * config.heads);
                      attend_with_alternatives(attention_shape_of(config, number), sequences, buffers.query,
                                               buffers.key_value.columns(0, kv_width),
                                               buffers.key_value.columns(kv_width, kv_width), calibration,
                                               buffers.attention, alternatives.attention, alternatives.found,
                                               buffers.attending);
                    });
}

matrix final_hidden(const model& model, const matrix& last_rows) {
  matrix normed(last_rows.rows(), last_rows.cols());
  apply(model.final_norm, last_rows, normed);
  if (model.project_out.outputs() == 0) return normed;
  matrix projected(normed.rows(), model.project_out.outputs());
  apply(model.project_out, normed, projected);
  return projected;
}

namespace {

void run_sequences(const model& model, std::size_t first, std::size_t end,
                   std::span<const attention_sequence> sequences, const rotary_tables& rotary,
                   const model_calibration& calibration, matrix& hidden, layer_buffers& buffers) {
  for (std::size_t layer = first; layer < end; ++layer) {
    const bool last = layer + 1 == model.config.layers;
    const layer_rows rows{.sequences = sequences,
                          .rotary = rotary,
                          .wanted = last ? rows_wanted::last_of_each_sequence : rows_wanted::all};
    run_layer(model, layer, rows, calibration.in_layer(layer), hidden, buffers);
  }
}

}  // namespace

void run_layers(const model& model, std::size_t first, std::size_t end, const packed_prompts& prompts,
                const rotary_tables& rotary, const model_calibration& calibration, matrix& hidden) {
  layer_buffers buffers;
  run_sequences(model, first, end, prompts.sequences, rotary, calibration, hidden, buffers);
}

plain_and_calibrated run_both(const model& model, const packed_prompts& prompts,
                              const model_calibration& calibration) {
  plain_and_each both = run_each(model, prompts, {&calibration, 1});
  return {.plain = std::move(both.plain), .calibrated = std::move(both.calibrated.front())};
}

plain_and_each run_each(const model& model, const packed_prompts& prompts,
                        std::span<const model_calibration> calibrations) {
  plain_and_each result{.plain = {}, .calibrated = std::vector<matrix>(calibrations.size())};
  run_each(model, prompts, calibrations, [&](std::span<const std::size_t> numbers, const matrix& left) {
    if (numbers.empty()) result.plain = left;
    for (const std::size_t number : numbers)
      result.calibrated[number] = left;
  });
  return result;
}

void run_each(const model& model, const packed_prompts& prompts,
              std::span<const model_calibration> calibrations, const each_pass_seen& seen) {
  const std::size_t layers = model.config.layers;
  // The plain pass, with what the prompts have in common once.
  const shared_prompts shared(prompts, common_beginning(prompts));
  const rotary_tables shared_rotary(model.config.rotary, shared.packed().positions);
  matrix hidden = embed(model, shared.packed());
  layer_buffers buffers;
  // Of the size that run_layer gives it: it stays where `sequences` look for it.
  buffers.key_value.resize(hidden.rows(), 2 * model.config.kv_heads * model.config.head_size);
  const std::vector<attention_sequence> sequences = shared.sequences(buffers.key_value);
  const rotary_tables rotary(model.config.rotary, prompts.positions);
  calibrated_passes passes(model, prompts, rotary, calibrations, rows_wanted::last_of_each_sequence,
                           [&](std::span<const std::size_t> numbers, const matrix& last_rows) {
                             seen(numbers, final_hidden(model, last_rows));
                           });
  std::size_t reached = 0;
  const auto run_to = [&](std::size_t end) {
    run_sequences(model, reached, end, sequences, shared_rotary, {}, hidden, buffers);
    reached = end;
  };
  for (std::size_t layer = 0; layer < layers; ++layer) {
    if (!passes.start_at(layer)) continue;
    run_to(layer);
    passes.run_from(layer, rows_at(hidden, shared.row_of()));
  }
  run_to(layers);
  seen({}, final_hidden(model, hidden));
}

}  // namespace act::runtime
