// The forward pass over packed prompts: one function a layer, for every architecture.
//
// For evaluation (tasks/evaluate.hpp), the head search (search/) and generation. Prompts of different length
// lie one under another in one matrix: no padding, no mask, large products. A caller drives the layers
// itself, so it can start in the middle from a stored input, recompute only some rows (earlier positions come
// from `attention_sequence::past`), or look at what a layer made (`layer_buffers`).
#pragma once

#include <act/runtime/layers/attention.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace act::runtime {

class kv_cache;

/// Prompts one under another: row r holds token `tokens[r]` at position `positions[r]` of its prompt.
struct packed_prompts {
  std::vector<token_id> tokens;
  std::vector<std::uint32_t> positions;
  std::vector<attention_sequence> sequences;

  [[nodiscard]] std::size_t rows() const noexcept { return tokens.size(); }
};

/// Packs prompts. Throws `error` (invalid_input) for an empty prompt, a token outside the vocabulary, or a
/// prompt longer than the model's context; `where()` is "prompt I" with I its place in the list.
[[nodiscard]] packed_prompts pack(const model_config& config, std::span<const std::vector<token_id>> prompts);

/// The first layer's input, [rows, hidden].
[[nodiscard]] matrix embed(const model& model, const packed_prompts& prompts);

[[nodiscard]] attention_shape attention_shape_of(const model_config& config, std::size_t layer);

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
  std::vector<matrix> attention;        ///< of each strength, like layer_buffers::attention
  std::vector<head_alternative> found;  ///< [sequence * heads + head]
};

/// The queries, keys and values that layer `number` makes of its input `hidden`, [rows, hidden], before they
/// are turned by their positions: into buffers.query, [rows, heads head_size], and buffers.key_value. What
/// run_layer begins with, for those who look at it.
void project_heads(const model& model, std::size_t number, const matrix& hidden, layer_buffers& buffers);

/// The second half of a layer: from the layer's input and the heads' outputs to the next layer's input.
/// hidden: [rows, hidden] in, the same rows out; attention: [rows, heads head_size].
void finish_layer(const model_config& config, const decoder_layer& layer, const const_matrix_ref& attention,
                  matrix_ref hidden, layer_buffers& buffers);

/// Which rows a layer has to deliver.
enum class rows_wanted {
  all,
  last_of_each_sequence,  ///< all a score needs of the last layer: the products with other rows are left out
};

/// The rows that a layer runs on, packed one sequence under another.
struct layer_rows {
  std::span<const attention_sequence>
      sequences;                ///< queries = keys; earlier positions come from their `past`
  const rotary_tables& rotary;  ///< of the rows' positions
  rows_wanted wanted = rows_wanted::all;
};

/// Runs layer `number` in place: `hidden`, [rows, hidden], is its input on entry and the next layer's input
/// on return (one row a sequence with `last_of_each_sequence`). Throws `error` for calibration options that
/// the core refuses.
void run_layer(const model& model, std::size_t number, const layer_rows& rows,
               const attention_calibration& calibration, matrix& hidden, layer_buffers& buffers);

/// As `run_layer` for one sequence that goes on behind what `cache` holds: the layer's new keys and values
/// are added to the cache, and the cache is what the queries attend to.
void run_layer_with_cache(const model& model, std::size_t number, const layer_rows& rows,
                          const attention_calibration& calibration, matrix& hidden, layer_buffers& buffers,
                          kv_cache& cache);

/// As `run_layer` with nothing calibrated; `alternatives` becomes what calibrating each head alone by the
/// options of `calibration`, whose heads aren't used, would give, with each of its strengths (none: as the
/// options have it).
void run_layer_with_alternatives(const model& model, std::size_t number, const layer_rows& rows,
                                 const attention_calibration& calibration, matrix& hidden,
                                 layer_buffers& buffers, layer_alternatives& alternatives);

/// Last positions' residual stream as the output matrix takes it: through the final norm and the projection
/// to the vocabulary's width, where the model has them. [sequences, embedding].
[[nodiscard]] matrix final_hidden(const model& model, const matrix& last_rows);

/// Layers [first, end) over whole prompts, in place. Ends with one row a sequence when it runs the last
/// layer.
void run_layers(const model& model, std::size_t first, std::size_t end, const packed_prompts& prompts,
                const rotary_tables& rotary, const model_calibration& calibration, matrix& hidden);

/// What a plain and a calibrated pass over the same prompts leave at their last positions, ready for the
/// output matrix.
struct plain_and_calibrated {
  matrix plain;       ///< [prompts, hidden]
  matrix calibrated;  ///< the same; empty when no head is calibrated
};

/// Both passes in one: layers below the first calibrated one are computed once.
[[nodiscard]] plain_and_calibrated run_both(const model& model, const packed_prompts& prompts,
                                            const model_calibration& calibration);

/// What a plain pass and one for each of several calibrations leave at the prompts' last positions.
struct plain_and_each {
  matrix plain;                    ///< [prompts, hidden]
  std::vector<matrix> calibrated;  ///< the same of each; empty where one names no head
};

/// As `run_both` for several calibrations: the plain pass is run once, each shares the layers below its first
/// calibrated one with it, and those in which they calibrate the same heads with each other. Memory: a
/// layer's input more for each layer in which some part.
[[nodiscard]] plain_and_each run_each(const model& model, const packed_prompts& prompts,
                                      std::span<const model_calibration> calibrations);

/// Sees what a pass leaves at the prompts' last positions, [prompts, hidden], as soon as it has run: that of
/// the calibrations with these numbers, which were one pass; of no number, and last, the plain one. It may
/// throw to interrupt.
using each_pass_seen = std::function<void(std::span<const std::size_t> numbers, const matrix& left)>;

/// As above, pass by pass; a calibration that names no head is none.
void run_each(const model& model, const packed_prompts& prompts,
              std::span<const model_calibration> calibrations, const each_pass_seen& seen);

}  // namespace act::runtime
