// Causal attention over packed sequences, plain or calibrated, head by head.
//
// For forward.hpp and the head search. Each (sequence, head) pair is one task: scores, softmax, calibration
// through act::calibrate (the runtime has no calibration of its own), product with the values. Grouped
// key/value heads. A head that is calibrated needs its whole map at once (column scores run over all rows); a
// plain head is computed in blocks of rows, so its memory is a block's, not the square of the prompt.
#pragma once

#include <act/calibrate.hpp>
#include <act/column_scores.hpp>
#include <act/parallel.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/sink_tracker.hpp>
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace act::inline ACT_ABI {

/// Sizes shared by every sequence of a batch.
struct attention_shape {
  std::size_t heads = 0;
  std::size_t kv_heads = 0;  ///< divides `heads`; query head h reads key/value head h / (heads / kv_heads)
  std::size_t head_size = 0;
  float scale = 1.0F;  ///< multiplies q . k; 1 / sqrt(head_size) for every model of the paper
};

/// Keys and values of positions before the present ones: rows of [kv_heads * head_size], `stride` numbers
/// apart.
struct past_positions {
  const float* keys = nullptr;
  const float* values = nullptr;
  std::size_t count = 0;
  std::size_t stride = 0;
};

/// Where one sequence lies in the packed matrices. Its positions are the past ones, then its key rows; its
/// query rows are the last `queries` of these positions.
struct attention_sequence {
  std::size_t first_query = 0;
  std::size_t queries = 0;
  std::size_t first_key = 0;
  std::size_t keys = 0;
  past_positions past = {};

  [[nodiscard]] std::size_t positions() const noexcept { return past.count + keys; }
};

/// What to calibrate in one layer's attention. By default nothing.
struct attention_calibration {
  layer_heads heads = {};
  calibration_options options = {};
  /// For decoding, [sequence * heads + head]: a sequence without past starts its calibrated heads' trackers
  /// from the raw map, which is then calibrated as a whole; rows behind a past are calibrated one by one, as
  /// the trackers say. Empty: maps are calibrated as they are.
  std::span<sink_tracker> trackers = {};
};

/// What the head search wants to know of one (sequence, head): see `attend_with_alternatives`.
struct head_alternative {
  bool has_sinks =
      false;  ///< calibrating this head changes something: it has sinks, or the option needs none
  std::size_t first_row = 0;  ///< first query row (within the sequence) that calibration changes
};

namespace detail {

// Rows of a plain head's map that are computed at once: 64 rows of a 2,048-token prompt are 512 KiB, half an
// L2.
inline constexpr std::size_t attention_row_block = 64;

// The packed inputs of one attention call.
struct attention_inputs {
  const attention_shape& shape;
  const_matrix_ref query;
  const_matrix_ref key;
  const_matrix_ref value;
};

using strided_rows = Eigen::Map<const matrix, 0, Eigen::OuterStride<>>;

// The slices of one (sequence, head) pair, and the two products with them.
class head_slice {
 private:
  [[nodiscard]] strided_rows rows_of(const float* past, std::size_t count) const noexcept {
    return {past + kv_column_, index(count), width_, Eigen::OuterStride<>(index(sequence_.past.stride))};
  }
  [[nodiscard]] auto present(const const_matrix_ref& rows, std::size_t count) const {
    return rows.block(index(sequence_.first_key), kv_column_, index(count), width_);
  }

 public:
  head_slice(const attention_inputs& in, const attention_sequence& sequence, std::size_t head)
      : in_(in),
        sequence_(sequence),
        width_(index(in.shape.head_size)),
        query_column_(index(head * in.shape.head_size)),
        kv_column_(index(head / (in.shape.heads / in.shape.kv_heads) * in.shape.head_size)) {}

  // First position that query row `row` can't see.
  [[nodiscard]] std::size_t visible(std::size_t row) const noexcept {
    return sequence_.positions() - sequence_.queries + row + 1;
  }

  // Rows [first, first + count) of the softmaxed map; masked entries are exactly 0.
  template <class Map>
  void weights(std::size_t first, std::size_t count, Map&& map) const {
    const auto q = in_.query.block(index(sequence_.first_query + first), query_column_, index(count), width_);
    const std::size_t seen = visible(first + count - 1);
    const std::size_t past_seen = std::min(seen, sequence_.past.count);
    if (past_seen > 0) {
      map.leftCols(index(past_seen)).noalias() = q * rows_of(sequence_.past.keys, past_seen).transpose();
    }
    if (seen > past_seen) {
      map.middleCols(index(past_seen), index(seen - past_seen)).noalias() =
          q * present(in_.key, seen - past_seen).transpose();
    }
    for (std::size_t row = 0; row < count; ++row) {
      const Eigen::Index limit = index(visible(first + row));
      auto scores = map.row(index(row)).head(limit).array();
      const float largest = scores.maxCoeff();
      scores = ((scores - largest) * in_.shape.scale).exp();
      scores *= 1.0F / scores.sum();
      map.row(index(row)).tail(map.cols() - limit).setZero();
    }
  }

  // out = map * values for the map's rows [first, first + count) of the sequence.
  template <class Map, class Out>
  void mix(const Map& map, std::size_t first, std::size_t count, Out&& out) const {
    const std::size_t seen = visible(first + count - 1);
    const std::size_t past_seen = std::min(seen, sequence_.past.count);
    const bool any_past = past_seen > 0;
    if (any_past) out.noalias() = map.leftCols(index(past_seen)) * rows_of(sequence_.past.values, past_seen);
    if (seen == past_seen) return;
    const auto values = present(in_.value, seen - past_seen);
    const auto weights_here = map.middleCols(index(past_seen), index(seen - past_seen));
    if (any_past) {
      out.noalias() += weights_here * values;
    } else {
      out.noalias() = weights_here * values;
    }
  }

  [[nodiscard]] auto out_rows(matrix_ref& out, std::size_t first, std::size_t count) const {
    return out.block(index(sequence_.first_query + first), query_column_, index(count), width_);
  }

 private:
  const attention_inputs& in_;
  const attention_sequence& sequence_;
  Eigen::Index width_;
  Eigen::Index query_column_;
  Eigen::Index kv_column_;
};

// One map's memory a thread, allocated before the parallel region, as large as the largest map of the call,
// and what calibrating it needs.
class map_scratch {
 public:
  map_scratch(std::span<const attention_sequence> sequences, bool whole_maps) {
    std::size_t largest = 0;
    for (const attention_sequence& s : sequences) {
      const std::size_t rows = whole_maps ? s.queries : std::min(s.queries, attention_row_block);
      largest = std::max(largest, rows * s.positions());
    }
    workers_.resize(thread_count());
    for (worker_memory& each : workers_)
      each.map.resize(index(largest));
  }
  [[nodiscard]] Eigen::Map<matrix> map(std::size_t worker, std::size_t rows, std::size_t keys) {
    return {workers_[worker].map.data(), index(rows), index(keys)};
  }
  // Calibrates the worker's map for decoding. Sequences without past: `tracker` starts from the raw map,
  // which is calibrated as a whole. Otherwise row by row: later rows can't decide about rows that are gone.
  void calibrate_tracked(std::size_t worker, const attention_sequence& sequence, sink_tracker& tracker,
                         const calibration_options& options) {
    const std::size_t rows = sequence.queries;
    const std::size_t positions = sequence.positions();
    float* const data = workers_[worker].map.data();
    if (sequence.past.count == 0) {
      std::vector<double> sums(positions, 0.0);
      add_column_sums(attention_view<float>::packed(data, 1, 1, rows, positions), 0, 0, std::span(sums));
      tracker.start(sums, {}, 0, rows);
      calibrate_map(worker, rows, positions, options);
      return;
    }
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t seen = positions - rows + row + 1;
      tracker.calibrate_row(std::span<float>(data + row * positions, seen));
    }
  }
  // Calibrates the worker's map, whose rows are the last ones of the sequence. Returns its sinks.
  const std::vector<sink>& calibrate_map(std::size_t worker, std::size_t rows, std::size_t positions,
                                         const calibration_options& options) {
    worker_memory& memory = workers_[worker];
    const auto span = attention_span<float>::packed(memory.map.data(), 1, 1, rows, positions,
                                                    visibility{.query_offset = positions - rows});
    calibrate(span, layer_heads::all(), options, memory.workspace, memory.report);
    return memory.report.heads.front().sinks;
  }

 private:
  struct worker_memory {
    // Eigen's storage, not std::vector's: its sums start where the memory is aligned, so the same map at
    // differently aligned addresses would differ in its last bits.
    row_vector map;
    calibration_workspace workspace;
    calibration_report report;
  };
  std::vector<worker_memory> workers_;
};

// What act::calibrate would refuse, refused before the parallel region.
inline void check_calibration(std::span<const attention_sequence> sequences,
                              const calibration_options& options) {
  throw_if(options.validate(), error_code::invalid_option);
  if (options.behave_as != compatibility::authors) return;
  for (const attention_sequence& sequence : sequences) {
    if (sequence.queries != sequence.positions()) {
      throw error(error_code::unsupported, "behave_as",
                  "compatibility::authors needs whole prompts, not a part of one");
    }
  }
}

}  // namespace detail

/// out[r] = attention of query row r over the positions it sees, all heads side by side.
///
/// query, out: [query rows, heads * head_size]; key, value: [key rows, kv_heads * head_size]; rows are packed
/// as `sequences` says. Heads in `calibration.heads` are calibrated: the whole map of the sequence's query
/// rows, or as `calibration.trackers` says. Results don't depend on the number of threads. Cost: 4 rows x
/// positions x head_size flops a head, about half of it saved by the mask in plain heads.
inline void attend(const attention_shape& shape, std::span<const attention_sequence> sequences,
                   const const_matrix_ref& query, const const_matrix_ref& key, const const_matrix_ref& value,
                   const attention_calibration& calibration, matrix_ref out) {
  if (!calibration.heads.empty()) detail::check_calibration(sequences, calibration.options);
  const detail::attention_inputs in{shape, query, key, value};
  detail::map_scratch scratch(sequences, !calibration.heads.empty());
  const auto attend_head = [&](std::size_t task, std::size_t worker) noexcept {
    const attention_sequence& sequence = sequences[task / shape.heads];
    const std::size_t head = task % shape.heads;
    const detail::head_slice slice(in, sequence, head);
    const bool calibrated = calibration.heads.contains(head);
    const std::size_t step =
        calibrated ? std::max<std::size_t>(sequence.queries, 1) : detail::attention_row_block;
    for (std::size_t first = 0; first < sequence.queries; first += step) {
      const std::size_t count = std::min(step, sequence.queries - first);
      auto map = scratch.map(worker, count, slice.visible(first + count - 1));
      slice.weights(first, count, map);
      if (calibrated && !calibration.trackers.empty()) {
        scratch.calibrate_tracked(worker, sequence, calibration.trackers[task], calibration.options);
      } else if (calibrated) {
        scratch.calibrate_map(worker, count, sequence.positions(), calibration.options);
      }
      slice.mix(map, first, count, slice.out_rows(out, first, count));
    }
  };
  std::size_t multiplications = 0;
  for (const attention_sequence& each : sequences)
    multiplications += 2 * each.queries * each.positions() * shape.heads * shape.head_size;
  if (multiplications < detail::product_worth_threads) {
    for (std::size_t task = 0; task < sequences.size() * shape.heads; ++task)
      attend_head(task, 0);
  } else {
    parallel_for(sequences.size() * shape.heads, attend_head);
  }
}

/// As `attend` with nothing calibrated, and for each (sequence, head) also the output that calibrating this
/// head would give: `alternative` has the shape of `out`, and only its rows from `found[sequence * heads +
/// head].first_row` on are written, and only where the head has sinks (temperature: always). This is what
/// makes one trial of the head search cheap.
inline void attend_with_alternatives(const attention_shape& shape,
                                     std::span<const attention_sequence> sequences,
                                     const const_matrix_ref& query, const const_matrix_ref& key,
                                     const const_matrix_ref& value, const calibration_options& options,
                                     matrix_ref out, matrix_ref alternative,
                                     std::span<head_alternative> found) {
  detail::check_calibration(sequences, options);
  const detail::attention_inputs in{shape, query, key, value};
  detail::map_scratch scratch(sequences, true);
  parallel_for(sequences.size() * shape.heads, [&](std::size_t task, std::size_t worker) noexcept {
    const attention_sequence& sequence = sequences[task / shape.heads];
    const detail::head_slice slice(in, sequence, task % shape.heads);
    auto map = scratch.map(worker, sequence.queries, sequence.positions());
    slice.weights(0, sequence.queries, map);
    slice.mix(map, 0, sequence.queries, slice.out_rows(out, 0, sequence.queries));

    const std::vector<sink>& sinks =
        scratch.calibrate_map(worker, sequence.queries, sequence.positions(), options);
    found[task] = {};
    // Temperature has no sinks: it changes every row of every head.
    const bool every_row = options.redistribute == redistribution::temperature;
    if (sinks.empty() && !every_row) return;
    // A row sees the first sink from the sink's own position on; rows before it are as they were.
    const std::size_t offset = sequence.positions() - sequence.queries;
    const bool later = !every_row && sinks.front().position > offset;
    const std::size_t first = later ? sinks.front().position - offset : 0;
    if (first >= sequence.queries) return;
    found[task] = {.has_sinks = true, .first_row = first};
    const std::size_t count = sequence.queries - first;
    slice.mix(map.bottomRows(index(count)), first, count, slice.out_rows(alternative, first, count));
  });
}

}  // namespace act::inline ACT_ABI
