// The chosen heads of one layer, for one stream of a cache: their column sums from map to map, and the
// calibration of the rows that come. For whoever has softmaxed rows over cells and knows from sequences.hpp
// whose they are.
//
// A map's rows count towards the sinks of their sequence before any of them changes, so that a prompt that
// comes in one map is calibrated as a whole; of one that comes in several, the rows of earlier maps were
// calibrated with the sinks known then. Decoding is a map of one row.
#pragma once

#include <act/calibrate_row.hpp>
#include <act/options.hpp>
#include <act/sink_tracker.hpp>

#include <cstddef>
#include <span>
#include <vector>

#include "sequences.hpp"

namespace act_llama {

struct chosen_head {
  std::size_t head = 0;              ///< of its layer
  act::calibration_options options;  ///< its own: no strengths; sinks, scaled or renormalised
};

/// One head's weights: row i begins at data + i * row_stride, an element for each cell of the cache.
struct head_rows {
  float* data = nullptr;
  std::size_t row_stride = 0;  ///< in elements
};

class tracked_heads {
 public:
  /// Throws act::error: invalid_option; unsupported for what a row alone doesn't allow (options of columns
  /// other than sinks, the ablations, the authors' behaviour).
  explicit tracked_heads(std::vector<chosen_head> heads);

  /// Adds the rows of a map to their sequences' sums and calibrates those that are its sequence's own.
  /// `steps` and `freed` are what sequences::read said of the map, `maps` has an entry for each head, in
  /// their order. Entries that a row doesn't see are neither used nor written. Heads run in parallel.
  void calibrate(std::span<const sequence_step> steps, std::span<const std::size_t> freed,
                 std::span<const head_rows> maps);

  void forget();

  [[nodiscard]] const std::vector<chosen_head>& heads() const noexcept { return heads_; }
  /// The sinks of a sequence as of its last row, as tokens of it. None for slots that hold no sequence.
  [[nodiscard]] std::span<const std::size_t> sinks(std::size_t head_index, std::size_t slot) const noexcept;

 private:
  struct state {
    std::vector<act::sink_tracker> of_slot;
    std::vector<float> row;  // of cells that don't lie side by side
  };

  void calibrate(std::size_t head_index, std::span<const sequence_step> steps, const head_rows& map);

  std::vector<chosen_head> heads_;
  std::vector<state> states_;  // one a head
};

}  // namespace act_llama
