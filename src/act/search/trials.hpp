// The exact head search's arithmetic: what each sample scores when one head alone is calibrated.
//
// Nothing is computed twice. The plain pass runs once and keeps each layer's input, keys, values and head
// outputs. A trial of head (l, h) runs every text of a sample (scored_texts.hpp), each from layer l on:
// attention there is already known (only head h differs, `attend_with_alternatives`, for each strength that
// heads are tried with), rows before the head's
// first sink can't change, so only rows from it to the last that counts go through the rest of layer l and
// the layers above, attending to the unchanged keys and values of the plain pass. A scored row before the
// first sink keeps its plain score; a text in which the head has no sink costs nothing. Changed rows that
// texts begin with alike are run once for all of them (shared_trials.hpp): all texts' trials of a head are
// stacked into one batch of rows, with those of as many heads as fit.
#pragma once

#include <act/runtime/forward.hpp>
#include <act/search/head_attribution.hpp>
#include <act/search/layer_range.hpp>
#include <act/search/layer_trials.hpp>
#include <act/search/scored_texts.hpp>
#include <act/search/shared_trials.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace act::search {

/// The plain pass of a few samples with everything kept that trials need, and the trials themselves.
/// Memory: about ((2 + strengths) hidden + 2 kv) floats a token and layer of the range.
class trial_runner {
 public:
  /// Rows stacked in one batch of trials, unless one head's are more: tall enough for full-speed products,
  /// small enough that a layer's activations (1,024 x 3,072 floats for SmolLM2's feed-forward block: 12 MB)
  /// stay in the last-level cache.
  static constexpr std::size_t rows_per_batch = 1024;

  /// Runs the plain pass. `samples` and `model` must outlive the runner. All samples are scored alike.
  /// redistribution::subset gives to each sample's own subset, column_choice::span is that. With `masks` a
  /// trial masks its head instead. Trials calibrate with one of `strengths` (search_plan::strengths; none: as
  /// the options say). Throws `error` (invalid_input) for texts that
  /// `pack` refuses and for a model whose scores aren't finite, (invalid_option) for subsets that are
  /// missing and strengths that can't be.
  trial_runner(const runtime::model& model, std::span<const tasks::prepared_sample> samples,
               const calibration_options& options, layer_range range, bool masks,
               std::vector<double> strengths = {});

  /// Plain scores of each sample.
  [[nodiscard]] const std::vector<std::vector<double>>& plain_scores() const noexcept {
    return plain_scores_;
  }
  [[nodiscard]] const search_work& plain_work() const noexcept { return plain_work_; }

  /// Trials of some heads of `layer`, which must lie in the range: `heads` ascending, none twice; results
  /// have a place for each of these only. `on_batch(trials)` is called after each batch with the number of
  /// (sample, head) pairs it settled; it may throw to interrupt. Which rows are stacked with a trial's, and
  /// so its last bits where there are but a few rows, depends on the heads asked for together; what it costs
  /// doesn't. `strength` is a number among the strengths: scores are those of a runner with that one alone,
  /// to the bit.
  [[nodiscard]] layer_trials run(std::size_t layer, std::span<const std::size_t> heads,
                                 const std::function<void(std::size_t)>& on_batch = {},
                                 std::size_t strength = 0) const;

  /// All heads of `layer`.
  [[nodiscard]] layer_trials run(std::size_t layer,
                                 const std::function<void(std::size_t)>& on_batch = {}) const;

  /// What trials of these heads would say, estimated to first order (head_attribution.hpp): scores of the
  /// same shape, exact where a head changes nothing. The first call for any layer goes backwards once for all
  /// of them, whose rows through this layer are the work of its first strength; avoided are those that the
  /// trials would run. It counts no trials. `on_layer` is called while that goes on, and may throw to
  /// interrupt.
  [[nodiscard]] layer_trials estimate(std::size_t layer, std::span<const std::size_t> heads,
                                      std::size_t strength = 0, const std::function<void()>& on_layer = {});

  /// Goes backwards as far as the range's last layer, for whoever wants to know what estimates take: from
  /// there on they take the same in every layer. Returns the rows times layers that it went through.
  /// `on_layer` as in `estimate`.
  [[nodiscard]] std::uint64_t try_estimates(const std::function<void()>& on_layer = {}) const;

  /// The work that `run` would do for these heads, with any strength, without doing it.
  [[nodiscard]] search_work work_of(std::size_t layer, std::span<const std::size_t> heads) const;

 private:
  // What the plain pass leaves behind for one layer.
  struct layer_record {
    runtime::matrix input;      // [rows, hidden]
    runtime::matrix attention;  // [rows, heads head_size]
    runtime::matrix key_value;  // [rows, 2 kv_heads head_size]
    runtime::layer_alternatives alternatives;
  };
  // The trials of one head on all samples.
  struct head_trials {
    std::vector<trial_part> parts;
    std::size_t rows = 0;                 // that the parts run
    std::size_t untouched = 0;            // samples of which no part is
    std::vector<std::uint8_t> has_sinks;  // of each sample
    std::vector<double> initial_mass;
  };

  // A sink behind the last row that counts changes nothing: such a text isn't run.
  [[nodiscard]] head_trials trials_of(std::size_t layer, std::size_t head) const;

  // How many rows of trial part `b` are to the bit those of `a`, from their first ones on, as far as they may
  // be shared.
  [[nodiscard]] std::size_t rows_alike(std::size_t layer, const trial_part& a, const trial_part& b) const;

  [[nodiscard]] head_attributions attributions_down_to(std::size_t first_layer,
                                                       const std::function<void()>& on_layer) const;

  // The work of these trials but for rows that are computed, which come out as avoided.
  [[nodiscard]] search_work work_without_rows(const head_trials& trials) const;

  // Rows that a part runs through the layers, the first one's and all of them.
  [[nodiscard]] std::uint64_t layer_rows_of(std::size_t layer, const trial_part& part) const;

  // What the last layer has to deliver. Where several rows of a text count, it delivers all of them.
  [[nodiscard]] runtime::rows_wanted last_layer_rows() const;

  void run_plain_pass();

  // The trial's rows with their attention at `layer`: the plain one but for the calibrated head.
  void gather(std::size_t layer, std::size_t strength, std::size_t head, std::size_t first_source,
              std::size_t rows, std::size_t target, runtime::matrix& hidden,
              runtime::matrix& attention) const;

  // `heads`: those that the result has places for.
  void run_batch(std::size_t layer, std::size_t strength, std::span<const trial_part> batch,
                 std::span<const std::size_t> heads, layer_trials& result) const;

  // Rows before a trial's first one are the plain pass's.
  void attach_past(std::size_t layer, std::span<const trial_part> batch,
                   std::span<runtime::attention_sequence> sequences) const;

  const runtime::model& model_;
  scored_texts texts_;
  calibration_options options_;
  std::vector<double> strengths_;
  bool masks_;
  layer_range range_;
  runtime::packed_prompts packed_;
  std::vector<std::vector<std::size_t>>
      subsets_;  // of each text; none but for redistribution::subset and a span
  std::vector<layer_record> records_;
  std::vector<std::vector<double>> plain_values_;  // of each text: a value for each row that counts
  std::vector<std::vector<double>> plain_scores_;
  search_work plain_work_;
  std::optional<head_attributions> attributions_;  // none before the first estimate
};

}  // namespace act::search
