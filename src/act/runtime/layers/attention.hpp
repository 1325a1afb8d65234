// Causal attention over packed sequences, plain or calibrated: the core's calls, sequence by sequence.
//
// For forward.hpp and the head search. What the runtime adds to calibrated_attention.hpp and
// decoding_attention.hpp is where things lie: many sequences of different length in one matrix, and keys and
// values that are in that matrix, in a cache, or partly in either. Keys and values in two places are laid one
// after another first; those in one place are read where they are.
#pragma once

#include <act/half.hpp>
#include <act/head_set.hpp>
#include <act/options.hpp>
#include <act/runtime/layers/matrix.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace act::runtime {

struct head_trackers;

/// What every sequence of a batch shares in one layer.
struct attention_shape {
  std::size_t heads = 0;
  std::size_t kv_heads = 0;  ///< divides `heads`; query head h reads key/value head h / (heads / kv_heads)
  std::size_t head_size = 0;
  float scale = 1.0F;                  ///< multiplies q . k
  std::size_t window = 0;              ///< keys a query sees, its own included; 0: all
  float soft_cap = 0;                  ///< c > 0: scores become c tanh(score / c)
  std::span<const float> slopes = {};  ///< ALiBi, one a head; empty: none
};

/// Keys and values of positions before the present ones: rows of head_size numbers, for each head.
struct past_positions {
  const float* keys = nullptr;
  const float* values = nullptr;
  const float16* half_keys =
      nullptr;  ///< instead of `keys` and `values`: a cache of halves, which then holds
  const float16* half_values = nullptr;  ///< the present positions too
  std::size_t count = 0;
  std::size_t stride = 0;        ///< numbers from a key to the next
  std::size_t value_stride = 0;  ///< the same of values; 0: as keys
  std::size_t head_stride = 0;   ///< from one head's keys, and values, to the next one's; 0: side by side
};

/// Up to so many query rows of a sequence are attended to row by row. A row's output is the same to the bit
/// whatever rows are beside it, but for this: where rows are left out, more than these have to stay.
inline constexpr std::size_t few_queries = 6;

/// Where one sequence lies in the packed matrices. Its positions are the past ones, then its key rows (none
/// when a cache has them already); its query rows are the last `queries` of these positions.
struct attention_sequence {
  std::size_t first_query = 0;
  std::size_t queries = 0;
  std::size_t first_key = 0;
  std::size_t keys = 0;
  past_positions past = {};
  /// Which its key rows are, `keys` of them, where they aren't one under another: some are another sequence's
  /// too. Not behind a past of halves.
  std::span<const std::uint32_t> key_rows = {};

  [[nodiscard]] std::size_t positions() const noexcept { return past.count + keys; }
};

/// What to calibrate in one layer's attention. By default nothing.
struct attention_calibration {
  layer_heads heads = {};
  calibration_options options = {};
  /// For decoding, of every sequence and head: a sequence without past starts its calibrated heads' trackers
  /// from the raw map, which is then calibrated as a whole; rows behind a past are calibrated one by one, as
  /// the trackers say. None: maps are calibrated as they are.
  head_trackers* trackers = nullptr;
  /// Of each sequence, ascending: with redistribution::subset the positions that receive, with
  /// column_choice::span those that are changed. Instead of `options.subset` and `options.span`, which stay
  /// empty.
  std::span<const std::vector<std::size_t>> subsets = {};
  /// Masks the heads instead: their outputs are 0, and nothing else here is asked.
  bool masks = false;
  /// Of each of `heads`, ascending, its own beta or factor (calibration_options::strengths, which stay
  /// empty); none: the options'.
  std::vector<double> strengths = {};

  /// The options for one sequence, without strengths.
  [[nodiscard]] calibration_options options_of(std::size_t sequence) const;

  /// Whether attending by this and by the other gives the same, as far as their members tell: where no head
  /// is calibrated they don't matter. Trackers, which attending changes, are their own.
  [[nodiscard]] bool does_the_same_as(const attention_calibration& other) const;
};

/// What the head search wants to know of one (sequence, head): see `attend_with_alternatives`.
struct head_alternative {
  bool has_sinks =
      false;  ///< calibrating this head changes something: it has sinks, or the options need none
  std::size_t first_row = 0;  ///< first query row (within the sequence) that calibration changes
  double initial_mass = 0;    ///< what the initial token gets, in the plain map: a mean over rows that see it
};

/// Memory that calls of attend share, one after another; it grows to the largest and stays. Copying copies
/// nothing: there is nothing in it between calls.
class attention_scratch {
 public:
  /// What one thread works with; in attention.cpp.
  struct worker;

  attention_scratch() noexcept;
  attention_scratch(const attention_scratch& other) noexcept;
  attention_scratch(attention_scratch&& other) noexcept;
  attention_scratch& operator=(const attention_scratch& other) noexcept;
  attention_scratch& operator=(attention_scratch&& other) noexcept;
  ~attention_scratch();

  [[nodiscard]] worker& of_worker(std::size_t number) noexcept;
  void reserve(std::size_t workers);

 private:
  std::vector<worker> workers_;
};

/// out[r] = attention of query row r over the positions it sees, all heads side by side.
///
/// query, out: [query rows, heads * head_size]; key, value: [key rows, kv_heads * head_size]; rows are packed
/// as `sequences` says. Heads in `calibration.heads` are calibrated: over the sequence's query rows as a
/// whole, or as `calibration.trackers` says; or they are masked. Results don't depend on the number of
/// threads. Cost: the core's, and a copy of the keys and values of sequences that have them in several
/// places.
void attend(const attention_shape& shape, std::span<const attention_sequence> sequences,
            const const_matrix_ref& query, const const_matrix_ref& key, const const_matrix_ref& value,
            const attention_calibration& calibration, matrix_ref out, attention_scratch& scratch);

/// As `attend` with nothing calibrated, and for each (sequence, head) also the outputs that calibrating this
/// head, or masking it, would give by `calibration`, whose heads aren't used: `alternatives[i]` has the shape
/// of `out` and calibrates by `calibration.strengths[i]` (none: one alternative, by the options), and
/// `found[sequence * heads + head]` says whether, and from which row on, they differ. A strength of 1, which
/// differs nowhere, should stand alone. This is what makes one trial of the head search cheap. Cost: plain
/// attention once, and calibrated attention for each strength.
void attend_with_alternatives(const attention_shape& shape, std::span<const attention_sequence> sequences,
                              const const_matrix_ref& query, const const_matrix_ref& key,
                              const const_matrix_ref& value, const attention_calibration& calibration,
                              matrix_ref out, std::span<matrix> alternatives,
                              std::span<head_alternative> found, attention_scratch& scratch);

}  // namespace act::runtime
