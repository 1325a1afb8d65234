// The forward pass over packed prompts: one function a layer, for every architecture.
//
// For evaluation (tasks/evaluate.hpp), the head search (search/) and generation. Prompts of different length
// lie one under another in one matrix: no padding, no mask, large products. A caller drives the layers
// itself, so it can start in the middle from a stored input, recompute only some rows (earlier positions come
// from `attention_sequence::past`), or look at what a layer made (`layer_buffers`).
#pragma once

#include <act/error.hpp>
#include <act/runtime/kv_cache.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/model.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace act::runtime {

/// Prompts one under another: row r holds token `tokens[r]` at position `positions[r]` of its prompt.
struct packed_prompts {
  std::vector<token_id> tokens;
  std::vector<std::uint32_t> positions;
  std::vector<attention_sequence> sequences;

  [[nodiscard]] std::size_t rows() const noexcept { return tokens.size(); }
};

/// Packs prompts. Throws `error` (invalid_input) for an empty prompt, a token outside the vocabulary, or a
/// prompt longer than the model's context; `where()` is "prompt I" with I its place in the list.
[[nodiscard]] inline packed_prompts pack(const model_config& config,
                                         std::span<const std::vector<token_id>> prompts) {
  packed_prompts packed;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::vector<token_id>& prompt = prompts[i];
    const std::string where = "prompt " + std::to_string(i);
    if (prompt.empty()) throw error(error_code::invalid_input, where, "has no tokens");
    if (prompt.size() > config.context) {
      throw error(error_code::invalid_input, where,
                  "has " + std::to_string(prompt.size()) + " tokens, the model's context is " +
                      std::to_string(config.context) + "; shorten the text");
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

/// The first layer's input, [rows, hidden].
[[nodiscard]] inline matrix embed(const model& model, const packed_prompts& prompts) {
  const std::size_t width = model.embedding.width();
  matrix rows(index(prompts.rows()), index(width));
  for (std::size_t row = 0; row < prompts.rows(); ++row) {
    model.embedding.copy_row(static_cast<std::size_t>(prompts.tokens[row]), {&rows(index(row), 0), width});
  }
  if (model.project_in.outputs() != 0) {
    matrix projected(rows.rows(), index(model.config.hidden));
    apply(model.project_in, rows, projected);
    rows = std::move(projected);
  }
  if (model.config.learned_positions) {
    for (std::size_t row = 0; row < prompts.rows(); ++row) {
      rows.row(index(row)) +=
          model.positions.row(index(prompts.positions[row] + model.config.position_offset));
    }
  }
  return rows;
}

[[nodiscard]] inline attention_shape attention_shape_of(const model_config& config) {
  return {.heads = config.heads,
          .kv_heads = config.kv_heads,
          .head_size = config.head_size,
          .scale = 1.0F / std::sqrt(static_cast<float>(config.head_size))};
}

/// What one layer leaves behind, kept by the caller so that nothing is allocated twice and a search can look
/// inside.
struct layer_buffers {
  matrix normed;
  matrix query;
  matrix key_value;  ///< [rows, 2 kv_heads head_size], keys rotated: what a cache stores
  matrix attention;  ///< [query rows, heads head_size]: the heads' outputs side by side, before the output
                     ///< matrix
  attention_scratch attending;
  matrix branch;
  matrix inner;
};

/// For each (sequence, head) what calibrating it alone would give; see `attend_with_alternatives`.
struct layer_alternatives {
  matrix attention;                     ///< like layer_buffers::attention
  std::vector<head_alternative> found;  ///< [sequence * heads + head]
};

/// The second half of a layer: from the layer's input and the heads' outputs to the next layer's input.
/// hidden: [rows, hidden] in, the same rows out; attention: [rows, heads head_size].
inline void finish_layer(const model_config& config, const decoder_layer& layer,
                         const const_matrix_ref& attention, matrix_ref hidden, layer_buffers& buffers) {
  const bool before = config.norm_at == norm_place::before;
  buffers.branch.resize(hidden.rows(), hidden.cols());
  apply(layer.attention_output, attention, buffers.branch);
  hidden += buffers.branch;
  if (!before) apply(layer.attention_norm, hidden, hidden);
  if (before) {
    buffers.normed.resize(hidden.rows(), hidden.cols());
    apply(layer.feed_forward_norm, hidden, buffers.normed);
    apply(layer.mlp, buffers.normed, buffers.branch, buffers.inner);
  } else {
    apply(layer.mlp, hidden, buffers.branch, buffers.inner);
  }
  hidden += buffers.branch;
  if (!before) apply(layer.feed_forward_norm, hidden, hidden);
}

/// Which rows a layer has to deliver.
enum class rows_wanted {
  all,
  last_of_each_sequence,  ///< all a score needs of the last layer: the products with other rows are left out
};

/// Runs layer `number` in place: `hidden` is its input on entry and the next layer's input on return (one row
/// a sequence with `last_of_each_sequence`). `sequences` describe rows with queries = keys; earlier positions
/// come from their `past`. With `alternatives`, nothing is calibrated and they are filled with
/// `calibration.options`. With `cache`, which takes one sequence, the layer's keys and values are added to
/// it, and it is what the sequence attends to.
inline void run_layer(const model& model, std::size_t number, std::span<const attention_sequence> sequences,
                      const rotary_table& rotary, const attention_calibration& calibration,
                      rows_wanted wanted, matrix& hidden, layer_buffers& buffers,
                      layer_alternatives* alternatives = nullptr, kv_cache* cache = nullptr) {
  const model_config& config = model.config;
  const decoder_layer& layer = model.layers[number];
  const attention_shape shape = attention_shape_of(config);
  const Eigen::Index kv_width = index(config.kv_heads * config.head_size);

  buffers.normed.resize(hidden.rows(), hidden.cols());
  if (config.norm_at == norm_place::before) {
    apply(layer.attention_norm, hidden, buffers.normed);
  } else {
    buffers.normed = hidden;
  }
  buffers.key_value.resize(hidden.rows(), 2 * kv_width);
  apply(layer.key_value, buffers.normed, buffers.key_value);
  rotary.rotate(buffers.key_value.leftCols(kv_width), config.kv_heads, config.head_size);

  std::vector<attention_sequence> attending(sequences.begin(), sequences.end());
  if (cache != nullptr) {
    cache->append(number, buffers.key_value);
    attending.front().past = cache->past(number);
    attending.front().keys = 0;
  }
  std::vector<std::uint32_t> last_rows;
  std::vector<attention_sequence> last_queries = attending;
  if (wanted == rows_wanted::last_of_each_sequence) {
    for (attention_sequence& sequence : last_queries) {
      last_rows.push_back(static_cast<std::uint32_t>(sequence.first_query + sequence.queries - 1));
      sequence.first_query = last_rows.size() - 1;
      sequence.queries = 1;
    }
  }
  const auto keep_last_rows = [&](matrix& rows) {
    matrix kept(index(last_rows.size()), rows.cols());
    for (std::size_t i = 0; i < last_rows.size(); ++i)
      kept.row(index(i)) = rows.row(last_rows[i]);
    rows = std::move(kept);
  };

  // Calibration looks at every row of a map, so it needs every query even where only the last output is
  // wanted.
  const bool every_query =
      wanted == rows_wanted::all || !calibration.heads.empty() || alternatives != nullptr;
  if (!every_query) keep_last_rows(buffers.normed);
  buffers.query.resize(buffers.normed.rows(), index(config.heads * config.head_size));
  apply(layer.query, buffers.normed, buffers.query);
  rotary.rotate(buffers.query, config.heads, config.head_size,
                every_query ? std::span<const std::uint32_t>{} : std::span<const std::uint32_t>(last_rows));

  buffers.attention.resize(buffers.query.rows(), buffers.query.cols());
  const auto keys = buffers.key_value.leftCols(kv_width);
  const auto values = buffers.key_value.rightCols(kv_width);
  const std::span<const attention_sequence> queries = every_query ? attending : last_queries;
  if (alternatives != nullptr) {
    alternatives->attention.resize(buffers.attention.rows(), buffers.attention.cols());
    alternatives->found.resize(sequences.size() * config.heads);
    attend_with_alternatives(shape, queries, buffers.query, keys, values, calibration, buffers.attention,
                             alternatives->attention, alternatives->found, buffers.attending);
  } else {
    attend(shape, queries, buffers.query, keys, values, calibration, buffers.attention, buffers.attending);
  }

  if (wanted == rows_wanted::last_of_each_sequence) {
    keep_last_rows(hidden);
    if (every_query) {
      matrix last_attention = buffers.attention;
      keep_last_rows(last_attention);
      finish_layer(config, layer, last_attention, hidden, buffers);
      return;
    }
  }
  finish_layer(config, layer, buffers.attention, hidden, buffers);
}

/// Which heads are calibrated in a whole pass, and how.
struct model_calibration {
  head_set heads;
  calibration_options options;
  /// See attention_calibration::subsets; of each prompt of a pass.
  std::span<const std::vector<std::size_t>> subsets = {};

  [[nodiscard]] attention_calibration in_layer(std::size_t layer) const {
    return {.heads = heads.in_layer(layer), .options = options, .trackers = {}, .subsets = subsets};
  }
};

/// Last positions' residual stream as the output matrix takes it: through the final norm and the projection
/// to the vocabulary's width, where the model has them. [sequences, embedding].
[[nodiscard]] inline matrix final_hidden(const model& model, const matrix& last_rows) {
  matrix normed(last_rows.rows(), last_rows.cols());
  apply(model.final_norm, last_rows, normed);
  if (model.project_out.outputs() == 0) return normed;
  matrix projected(normed.rows(), index(model.project_out.outputs()));
  apply(model.project_out, normed, projected);
  return projected;
}

/// Layers [first, end) over whole prompts, in place. Ends with one row a sequence when it runs the last
/// layer.
inline void run_layers(const model& model, std::size_t first, std::size_t end, const packed_prompts& prompts,
                       const rotary_table& rotary, const model_calibration& calibration, matrix& hidden) {
  layer_buffers buffers;
  for (std::size_t layer = first; layer < end; ++layer) {
    const bool last = layer + 1 == model.config.layers;
    run_layer(model, layer, prompts.sequences, rotary, calibration.in_layer(layer),
              last ? rows_wanted::last_of_each_sequence : rows_wanted::all, hidden, buffers);
  }
}

/// What a plain and a calibrated pass over the same prompts leave at their last positions, ready for the
/// output matrix.
struct plain_and_calibrated {
  matrix plain;       ///< [prompts, hidden]
  matrix calibrated;  ///< the same; empty when no head is calibrated
};

/// Both passes in one: layers below the first calibrated one are computed once.
[[nodiscard]] inline plain_and_calibrated run_both(const model& model, const packed_prompts& prompts,
                                                   const model_calibration& calibration) {
  const std::size_t layers = model.config.layers;
  const rotary_table rotary(model.config.rotary, prompts.positions);
  const std::size_t shared = calibration.heads.empty() ? layers : calibration.heads.begin()->layer;
  matrix hidden = embed(model, prompts);
  run_layers(model, 0, shared, prompts, rotary, {}, hidden);
  matrix calibrated = calibration.heads.empty() ? matrix() : hidden;
  run_layers(model, shared, layers, prompts, rotary, {}, hidden);
  plain_and_calibrated result{.plain = final_hidden(model, hidden), .calibrated = {}};
  if (!calibration.heads.empty()) {
    run_layers(model, shared, layers, prompts, rotary, calibration, calibrated);
    result.calibrated = final_hidden(model, calibrated);
  }
  return result;
}

}  // namespace act::runtime
