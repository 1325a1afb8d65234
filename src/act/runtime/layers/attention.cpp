#include <act/attention_workspace.hpp>
#include <act/calibrate.hpp>
#include <act/error.hpp>
#include <act/head_tensor.hpp>
#include <act/parallel.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/core_attention.hpp>
#include <act/runtime/layers/head_trackers.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/products/product.hpp>
#include <act/sink_tracker.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace act::runtime {

struct attention_scratch::worker {
  attention_workspace<float> workspace;
  calibration_report report;
  std::vector<float> keys, values;  // of a sequence whose own are in several places
  std::vector<double> sums;         // of a prompt's columns, for its trackers
};

attention_scratch::attention_scratch() noexcept = default;
attention_scratch::attention_scratch(const attention_scratch&) noexcept {}
attention_scratch::attention_scratch(attention_scratch&&) noexcept = default;
attention_scratch& attention_scratch::operator=(const attention_scratch&) noexcept {
  return *this;  // what is here serves as well as what is there
}
attention_scratch& attention_scratch::operator=(attention_scratch&&) noexcept = default;
attention_scratch::~attention_scratch() = default;

attention_scratch::worker& attention_scratch::of_worker(std::size_t number) noexcept {
  return workers_[number];
}

void attention_scratch::reserve(std::size_t workers) {
  if (workers_.size() < workers) workers_.resize(workers);
}

namespace {

// What the core would refuse, refused before the parallel region.
void check_calibration(std::span<const attention_sequence> sequences,
                       const attention_calibration& calibration, std::span<const double> strengths) {
  if (!calibration.subsets.empty() && calibration.subsets.size() != sequences.size()) {
    throw error(error_code::invalid_shape, "subsets", "need one for each sequence, or none");
  }
  for (std::size_t number = 0; number < sequences.size(); ++number) {
    const attention_sequence& sequence = sequences[number];
    calibration_options options = calibration.options_of(number);
    options.strengths = strengths;
    throw_if(options.validate(), error_code::invalid_option);
    ::act::detail::raise_if(::act::detail::check_columns(options, sequence.positions()));
    if (options.behave_as == compatibility::authors && sequence.queries != sequence.positions()) {
      throw error(error_code::unsupported, "behave_as",
                  "compatibility::authors needs whole prompts, not a part of one");
    }
  }
}

// The packed inputs of one attention call.
struct attention_inputs {
  const attention_shape& shape;
  const_matrix_ref query;
  const_matrix_ref key;
  const_matrix_ref value;

  // Heads that lie side by side in each of `tokens` rows.
  template <class T>
  [[nodiscard]] head_tensor<T> heads_in_rows(T* data, std::size_t heads, std::size_t tokens,
                                             std::size_t stride) const {
    return {.data = data,
            .batches = 1,
            .heads = heads,
            .tokens = tokens,
            .channels = shape.head_size,
            .batch_stride = 0,
            .head_stride = shape.head_size,
            .token_stride = stride};
  }
  [[nodiscard]] head_tensor<const float> queries_of(const attention_sequence& sequence) const {
    const std::size_t stride = query.stride();
    return heads_in_rows(query.data() + sequence.first_query * stride, shape.heads, sequence.queries, stride);
  }
  [[nodiscard]] head_tensor<float> outputs_of(const attention_sequence& sequence, matrix_ref& out) const {
    const std::size_t stride = out.stride();
    return heads_in_rows(out.data() + sequence.first_query * stride, shape.heads, sequence.queries, stride);
  }

  [[nodiscard]] head_tensor<const float> keys_of(const attention_sequence& sequence,
                                                 attention_scratch::worker& memory) const {
    return positions_of(sequence, sequence.past.keys, sequence.past.stride, key, memory.keys);
  }
  [[nodiscard]] head_tensor<const float> values_of(const attention_sequence& sequence,
                                                   attention_scratch::worker& memory) const {
    const past_positions& past = sequence.past;
    return positions_of(sequence, past.values, past.value_stride != 0 ? past.value_stride : past.stride,
                        value, memory.values);
  }

  // A cache of halves holds all positions.
  [[nodiscard]] head_tensor<const float16> in_halves(const attention_sequence& sequence,
                                                     const float16* past) const {
    auto found = heads_in_rows(past, shape.kv_heads, sequence.positions(), sequence.past.stride);
    found.head_stride = sequence.past.head_stride;
    return found;
  }

  // use(keys, values) of a sequence, as they are stored.
  template <class Use>
  void with_keys_and_values(const attention_sequence& sequence, attention_scratch::worker& memory,
                            Use&& use) const {
    const past_positions& past = sequence.past;
    if (past.half_keys != nullptr) {
      use(in_halves(sequence, past.half_keys), in_halves(sequence, past.half_values));
    } else {
      use(keys_of(sequence, memory), values_of(sequence, memory));
    }
  }

  // Keys or values of all positions of a sequence: where they are, or each head's laid one after another in
  // `together`.
  [[nodiscard]] head_tensor<const float> positions_of(const attention_sequence& sequence, const float* past,
                                                      std::size_t past_stride, const const_matrix_ref& rows,
                                                      std::vector<float>& together) const {
    auto found = heads_in_rows(past, shape.kv_heads, sequence.positions(), past_stride);
    if (sequence.past.head_stride != 0) found.head_stride = sequence.past.head_stride;
    if (sequence.keys == 0) return found;
    const std::size_t stride = rows.stride();
    const float* const own = rows.data() + sequence.first_key * stride;
    const bool listed = !sequence.key_rows.empty();
    if (sequence.past.count == 0 && !listed)
      return heads_in_rows(own, shape.kv_heads, sequence.positions(), stride);
    const std::size_t width = shape.head_size;
    together.resize(shape.kv_heads * sequence.positions() * width);
    float* to = together.data();
    for (std::size_t head = 0; head < shape.kv_heads; ++head) {
      const float* const of_head = past + head * found.head_stride;
      for (std::size_t row = 0; row < sequence.past.count; ++row, to += width)
        std::copy_n(of_head + row * past_stride, width, to);
      for (std::size_t row = 0; row < sequence.keys; ++row, to += width) {
        const float* const from = listed ? rows.data() + sequence.key_rows[row] * stride : own + row * stride;
        std::copy_n(from + head * width, width, to);
      }
    }
    found.data = together.data();
    found.token_stride = width;
    found.head_stride = sequence.positions() * width;
    return found;
  }
};

attention_options options_of(const attention_shape& shape, const attention_sequence& sequence) {
  return {.scale = static_cast<double>(shape.scale),
          .visible = {.query_offset = sequence.positions() - sequence.queries, .window = shape.window},
          .soft_cap = static_cast<double>(shape.soft_cap),
          .slopes = shape.slopes};
}

// A strength for every head of the layer, as the core wants them: those that aren't calibrated have the
// options', which nobody asks for.
std::vector<double> strengths_of(const attention_calibration& calibration, std::size_t heads) {
  if (calibration.strengths.empty()) return {};
  if (calibration.strengths.size() != calibration.heads.count(heads)) {
    throw error(error_code::invalid_shape, "strengths", "need one for each calibrated head, or none");
  }
  const calibration_options& options = calibration.options;
  const bool renormalises = options.redistribute == redistribution::renormalised;
  std::vector<double> of_heads(heads, renormalises ? options.factor : options.beta);
  for (std::size_t i = 0; i < calibration.strengths.size(); ++i)
    of_heads.at(calibration.heads.at(i)) = calibration.strengths[i];
  return of_heads;
}

// Zeros in the place of these heads' outputs, of all the sequence's rows.
void mask_heads(const layer_heads& heads, const head_tensor<float>& out) {
  for (std::size_t head = 0; head < out.heads; ++head) {
    if (!heads.contains(head)) continue;
    for (std::size_t i = 0; i < out.tokens; ++i)
      std::fill_n(out.row(0, head, i), out.channels, 0.0F);
  }
}

// Calls body(number of the sequence, memory) for every sequence: several at once where there are enough for
// every thread, otherwise one after another, each with all threads inside the core.
template <class Body>
void for_each_sequence(const attention_shape& shape, std::span<const attention_sequence> sequences,
                       attention_scratch& scratch, Body&& body) {
  scratch.reserve(thread_count());
  std::size_t multiplications = 0;
  for (const attention_sequence& each : sequences)
    multiplications += 2 * each.queries * each.positions() * shape.heads * shape.head_size;
  if (sequences.size() >= 2 * thread_count() && multiplications >= product_worth_threads) {
    parallel_for(sequences.size(), [&](std::size_t number, std::size_t worker) noexcept {
      body(number, scratch.of_worker(worker));
    });
  } else {
    for (std::size_t number = 0; number < sequences.size(); ++number)
      body(number, scratch.of_worker(0));
  }
}

}  // namespace

calibration_options attention_calibration::options_of(std::size_t sequence) const {
  calibration_options of = options;
  if (sequence < subsets.size())
    (of.columns == column_choice::span ? of.span : of.subset) = subsets[sequence];
  return of;
}

namespace {

// Bindings name every member: one that is added doesn't compile before it is compared.
bool same(const sink_options& a, const sink_options& b) {
  const auto& [rule, alpha, tau, min_visible_rows, position_limit] = a;
  return rule == b.rule && alpha == b.alpha && tau == b.tau && min_visible_rows == b.min_visible_rows &&
         position_limit == b.position_limit;
}

bool same(const calibration_options& a, const calibration_options& b) {
  const auto& [sinks, beta, redistribute, theta, subset, behave_as, columns, span, factor, strengths] = a;
  const auto same_numbers = [](const auto& one, const auto& other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end());
  };
  return same(sinks, b.sinks) && beta == b.beta && redistribute == b.redistribute && theta == b.theta &&
         same_numbers(subset, b.subset) && behave_as == b.behave_as && columns == b.columns &&
         same_numbers(span, b.span) && factor == b.factor && same_numbers(strengths, b.strengths);
}

}  // namespace

bool attention_calibration::does_the_same_as(const attention_calibration& other) const {
  if (!(heads == other.heads)) return false;
  if (heads.empty()) return true;
  if (trackers != other.trackers || masks != other.masks) return false;
  if (masks) return true;
  return same(options, other.options) && strengths == other.strengths &&
         std::equal(subsets.begin(), subsets.end(), other.subsets.begin(), other.subsets.end());
}

void attend(const attention_shape& shape, std::span<const attention_sequence> sequences,
            const const_matrix_ref& query, const const_matrix_ref& key, const const_matrix_ref& value,
            const attention_calibration& calibration, matrix_ref out, attention_scratch& scratch) {
  const bool calibrates = !calibration.heads.empty() && !calibration.masks;
  const std::vector<double> strengths =
      calibrates ? strengths_of(calibration, shape.heads) : std::vector<double>();
  if (calibrates) check_calibration(sequences, calibration, strengths);
  const attention_inputs in{shape, query, key, value};
  const bool tracks = calibrates && calibration.trackers != nullptr;
  // One sequence, whose keys and values are as they are stored.
  const auto attend_to = [&](std::size_t number, attention_scratch::worker& memory, const auto& k,
                             const auto& v) {
    const attention_sequence& sequence = sequences[number];
    const auto q = in.queries_of(sequence);
    const auto to = in.outputs_of(sequence, out);
    const attention_options options = options_of(shape, sequence);
    if (!calibrates) {
      core_attention(q, k, v, to, {}, {}, options, memory.workspace, memory.report);
      if (calibration.masks) mask_heads(calibration.heads, to);
      return;
    }
    calibration_options by = calibration.options_of(number);
    by.strengths = strengths;
    if (!tracks) {
      core_attention(q, k, v, to, calibration.heads, by, options, memory.workspace, memory.report);
      return;
    }
    const auto trackers =
        std::span<sink_tracker>(calibration.trackers->of).subspan(number * shape.heads, shape.heads);
    if (options.visible.query_offset > 0) {
      core_decoding_attention(q, k, v, to, calibration.heads, trackers, options, memory.workspace);
      return;
    }
    memory.sums.assign(shape.heads * k.tokens, 0.0);
    core_attention(q, k, v, to, calibration.heads, by, options, memory.workspace, memory.report, {},
                   memory.sums);
    for (std::size_t head = 0; head < shape.heads; ++head) {
      if (!calibration.heads.contains(head)) continue;
      trackers[head].start(std::span<const double>(memory.sums).subspan(head * k.tokens, k.tokens),
                           options.visible, 0, sequence.queries);
    }
  };
  for_each_sequence(shape, sequences, scratch, [&](std::size_t number, attention_scratch::worker& memory) {
    in.with_keys_and_values(sequences[number], memory,
                            [&](const auto& k, const auto& v) { attend_to(number, memory, k, v); });
  });
}

namespace {

// The first position whose row calibration may change, of a head with something to change: the first column's
// own. The initial token's row sees nothing else, so there is nothing that it could give to, or take from.
std::size_t first_changed(const calibration_options& by, const head_report& head) {
  switch (by.columns) {
    case column_choice::sinks:
      return head.sinks.front().position;
    case column_choice::initial_token:
      return 1;
    case column_choice::span:
      return by.span.front();
  }
  return 0;
}

}  // namespace

namespace {

// Of each head the mean weight that rows which see the initial token give it: its column score
// (column_scores.hpp), of the plain map. Writes plain attention to `out`.
void measure_initial_mass(const attention_shape& shape, const attention_inputs& in,
                          const attention_sequence& sequence, matrix_ref out,
                          attention_scratch::worker& memory, std::span<head_alternative> found) {
  const auto keys = in.keys_of(sequence, memory);
  const auto values = in.values_of(sequence, memory);
  memory.sums.assign(shape.heads * keys.tokens, 0.0);
  const auto queries = in.queries_of(sequence);
  core_attention(queries, keys, values, in.outputs_of(sequence, out), layer_heads::all(), {},
                 options_of(shape, sequence), memory.workspace, memory.report, {}, memory.sums);
  const std::size_t offset = sequence.positions() - sequence.queries;
  const std::size_t end =
      shape.window == 0 ? sequence.positions() : std::min(shape.window, sequence.positions());
  if (end <= offset) return;  // no row sees it
  for (std::size_t head = 0; head < shape.heads; ++head)
    found[head].initial_mass = memory.sums[head * keys.tokens] / static_cast<double>(end - offset);
}

// Whether the options change this head, of which the report speaks, and from which row on.
void find_first_row(const calibration_options& by, const head_report& report,
                    const attention_sequence& sequence, head_alternative& differs) {
  // Temperature has no sinks: it changes every row of every head.
  const bool every_row = by.redistribute == redistribution::temperature;
  if (report.sinks.empty() && !every_row && by.columns == column_choice::sinks) return;
  // A row sees the first sink from the sink's own position on, and what the sink gives to from that one's;
  // rows before either are as they were.
  std::size_t position = every_row ? 0 : first_changed(by, report);
  if (!by.subset.empty()) position = std::max(position, by.subset.front());
  const std::size_t offset = sequence.positions() - sequence.queries;
  const std::size_t first = position > offset ? position - offset : 0;
  if (first >= sequence.queries) return;
  differs.has_sinks = true;
  differs.first_row = first;
}

// How strong each alternative is; one, the options', where there are no strengths.
std::vector<double> alternative_strengths(const attention_calibration& calibration) {
  if (!calibration.strengths.empty()) return calibration.strengths;
  const calibration_options& options = calibration.options;
  return {options.redistribute == redistribution::renormalised ? options.factor : options.beta};
}

}  // namespace

void attend_with_alternatives(const attention_shape& shape, std::span<const attention_sequence> sequences,
                              const const_matrix_ref& query, const const_matrix_ref& key,
                              const const_matrix_ref& value, const attention_calibration& calibration,
                              matrix_ref out, std::span<matrix> alternatives,
                              std::span<head_alternative> found, attention_scratch& scratch) {
  const std::vector<double> strengths = alternative_strengths(calibration);
  if (alternatives.size() != strengths.size())
    throw error(error_code::invalid_shape, "strengths", "need one for each alternative");
  if (!calibration.masks) check_calibration(sequences, calibration, calibration.strengths);
  const attention_inputs in{shape, query, key, value};
  for_each_sequence(shape, sequences, scratch, [&](std::size_t number, attention_scratch::worker& memory) {
    const attention_sequence& sequence = sequences[number];
    const std::span<head_alternative> own = found.subspan(number * shape.heads, shape.heads);
    std::fill(own.begin(), own.end(), head_alternative{});
    measure_initial_mass(shape, in, sequence, out, memory, own);
    if (calibration.masks) {
      matrix_ref masked = alternatives.front();
      core_attention(in.queries_of(sequence), in.keys_of(sequence, memory), in.values_of(sequence, memory),
                     in.outputs_of(sequence, out), {}, {}, options_of(shape, sequence), memory.workspace,
                     memory.report);
      mask_heads(layer_heads::all(), in.outputs_of(sequence, masked));
      for (head_alternative& each : own)
        each.has_sinks = true;
      return;
    }
    calibration_options by = calibration.options_of(number);
    for (std::size_t i = 0; i < strengths.size(); ++i) {
      (by.redistribute == redistribution::renormalised ? by.factor : by.beta) = strengths[i];
      matrix_ref alternative = alternatives[i];
      core_attention(in.queries_of(sequence), in.keys_of(sequence, memory), in.values_of(sequence, memory),
                     in.outputs_of(sequence, alternative), layer_heads::all(), by,
                     options_of(shape, sequence), memory.workspace, memory.report,
                     in.outputs_of(sequence, out));
      if (i > 0) continue;  // sinks are the plain map's
      for (const head_report& each : memory.report.heads)
        find_first_row(by, each, sequence, own[each.head]);
    }
  });
}

}  // namespace act::runtime
