// The exact head search's arithmetic: what each sample scores when one head alone is calibrated.
//
// Nothing is computed twice. The plain pass runs once and keeps each layer's input, keys, values and head
// outputs. A trial of head (l, h) starts at layer l: attention there is already known (only head h differs,
// `attend_with_alternatives`), rows before the head's first sink can't change, so only rows from it on go
// through the rest of layer l and the layers above, attending to the unchanged keys and values of the plain
// pass; the last layer computes one row. A head without sinks in a sample costs nothing. Trials of many
// samples and heads are stacked into one batch of rows.
#pragma once

#include <act/runtime/forward.hpp>
#include <act/runtime/label_logits.hpp>
#include <act/search/layer_range.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace act::inline ACT_ABI {

/// What a search computed, in rows through a layer (one token, one layer), and what it was spared.
struct search_work {
  std::uint64_t layer_rows_computed = 0;   ///< plain pass and trials together
  std::uint64_t layer_rows_avoided = 0;    ///< what one whole pass for each (sample, head) would have added
  std::uint64_t trials = 0;                ///< (sample, head) pairs
  std::uint64_t trials_without_sinks = 0;  ///< of these, answered by the plain pass

  search_work& operator+=(const search_work& other) noexcept {
    layer_rows_computed += other.layer_rows_computed;
    layer_rows_avoided += other.layer_rows_avoided;
    trials += other.trials;
    trials_without_sinks += other.trials_without_sinks;
    return *this;
  }
  friend bool operator==(const search_work&, const search_work&) = default;
};

/// Scores of one layer's trials: `scores[sample * heads + head]`, a logit for each scored word.
struct layer_trials {
  std::vector<std::vector<double>> scores;
  std::vector<std::uint8_t> has_sinks;  ///< [sample * heads + head]
  search_work work;
};

/// The plain pass of a few samples with everything kept that trials need, and the trials themselves.
/// Memory: about (3 hidden + 2 kv) floats a token and layer of the range.
class trial_runner {
 public:
  /// Runs the plain pass. `samples` and `model` must outlive the runner.
  trial_runner(const model& model, std::span<const prepared_sample> samples,
               const calibration_options& options, layer_range range)
      : model_(model), samples_(samples), options_(options), range_(range) {
    std::vector<std::vector<token_id>> prompts;
    for (const prepared_sample& sample : samples)
      prompts.push_back(sample.prompt);
    packed_ = pack(model.config, prompts);
    run_plain_pass();
  }

  /// Plain scores of each sample.
  [[nodiscard]] const std::vector<std::vector<double>>& plain_scores() const noexcept {
    return plain_scores_;
  }
  [[nodiscard]] const search_work& plain_work() const noexcept { return plain_work_; }

  /// All heads of `layer`, which must lie in the range. `on_batch(trials)` is called after each batch with
  /// the number of (sample, head) pairs it settled; it may throw to interrupt.
  [[nodiscard]] layer_trials run(std::size_t layer,
                                 const std::function<void(std::size_t)>& on_batch = {}) const {
    const std::size_t heads = model_.config.heads;
    const layer_record& record = records_[layer];
    layer_trials result;
    result.scores.resize(samples_.size() * heads);
    result.has_sinks.resize(result.scores.size());

    std::vector<trial> batch;
    std::size_t batch_rows = 0;
    const auto flush = [&] {
      if (batch.empty()) return;
      run_batch(layer, batch, batch_rows, result);
      if (on_batch) on_batch(batch.size());
      batch.clear();
      batch_rows = 0;
    };
    std::size_t untouched = 0;
    for (std::size_t sample = 0; sample < samples_.size(); ++sample) {
      const std::uint64_t whole_pass = packed_.sequences[sample].queries * model_.config.layers;
      for (std::size_t head = 0; head < heads; ++head) {
        const head_alternative& found = record.alternatives.found[sample * heads + head];
        result.work.trials += 1;
        result.work.layer_rows_avoided += whole_pass;
        if (!found.has_sinks) {
          result.scores[sample * heads + head] = plain_scores_[sample];
          result.work.trials_without_sinks += 1;
          ++untouched;
          continue;
        }
        result.has_sinks[sample * heads + head] = 1;
        const std::size_t rows = packed_.sequences[sample].queries - found.first_row;
        if (batch_rows + rows > rows_per_batch) flush();
        batch.push_back({.sample = sample, .head = head, .first_row = found.first_row});
        batch_rows += rows;
      }
    }
    flush();
    if (on_batch && untouched > 0) on_batch(untouched);
    result.work.layer_rows_avoided -= result.work.layer_rows_computed;
    return result;
  }

 private:
  // Rows stacked in one batch of trials: tall enough for full-speed products, small enough that a layer's
  // activations (1,024 x 3,072 floats for SmolLM2's feed-forward block: 12 MB) stay in the last-level cache.
  static constexpr std::size_t rows_per_batch = 1024;

  // What the plain pass leaves behind for one layer.
  struct layer_record {
    matrix input;      // [rows, hidden]
    matrix attention;  // [rows, heads head_size]
    matrix key_value;  // [rows, 2 kv_heads head_size]
    layer_alternatives alternatives;
  };
  struct trial {
    std::size_t sample, head, first_row;
  };

  void run_plain_pass() {
    const std::size_t layers = model_.config.layers;
    records_.resize(layers);
    const rotary_table rotary(model_.config.rotary, packed_.positions);
    layer_buffers buffers;
    matrix hidden = embed(model_, packed_);
    for (std::size_t layer = 0; layer < layers; ++layer) {
      const bool last = layer + 1 == layers;
      const bool searched = range_.contains(layer);
      layer_record& record = records_[layer];
      if (searched) record.input = hidden;
      run_layer(model_, layer, packed_.sequences, rotary, {.heads = {}, .options = options_},
                last ? rows_wanted::last_of_each_sequence : rows_wanted::all, hidden, buffers,
                searched ? &record.alternatives : nullptr);
      if (searched) record.attention = buffers.attention;
      if (layer > range_.first) record.key_value = buffers.key_value;
      plain_work_.layer_rows_computed += last ? samples_.size() : packed_.rows();
    }
    plain_scores_ = label_logits(model_, final_hidden(model_, hidden), words_of_all());
  }

  [[nodiscard]] std::vector<std::span<const token_id>> words_of_all() const {
    std::vector<std::span<const token_id>> words;
    for (const prepared_sample& sample : samples_)
      words.emplace_back(sample.words);
    return words;
  }

  // The trial's rows with their attention at `layer`: the plain one but for the calibrated head.
  void gather(std::size_t layer, const trial& each, std::size_t first_source, std::size_t rows,
              std::size_t target, matrix& hidden, matrix& attention) const {
    const layer_record& record = records_[layer];
    const Eigen::Index width = index(model_.config.head_size);
    const Eigen::Index column = index(each.head) * width;
    const auto from = index(first_source);
    const auto count = index(rows);
    hidden.middleRows(index(target), count) = record.input.middleRows(from, count);
    attention.middleRows(index(target), count) = record.attention.middleRows(from, count);
    attention.block(index(target), column, count, width) =
        record.alternatives.attention.block(from, column, count, width);
  }

  void run_batch(std::size_t layer, std::span<const trial> trials, std::size_t rows,
                 layer_trials& result) const {
    const model_config& config = model_.config;
    const std::size_t layers = config.layers;
    const bool starts_at_last = layer + 1 == layers;
    if (starts_at_last) rows = trials.size();

    matrix hidden(index(rows), index(config.hidden));
    matrix attention(index(rows), index(config.heads * config.head_size));
    std::vector<attention_sequence> sequences;
    std::vector<std::uint32_t> positions;
    std::size_t target = 0;
    for (const trial& each : trials) {
      const attention_sequence& plain = packed_.sequences[each.sample];
      const std::size_t first = starts_at_last ? plain.queries - 1 : each.first_row;
      const std::size_t count = plain.queries - first;
      gather(layer, each, plain.first_query + first, count, target, hidden, attention);
      sequences.push_back(
          {.first_query = target, .queries = count, .first_key = target, .keys = count, .past = {}});
      for (std::size_t row = first; row < plain.queries; ++row)
        positions.push_back(static_cast<std::uint32_t>(row));
      target += count;
    }

    layer_buffers buffers;
    finish_layer(config, model_.layers[layer], attention, hidden, buffers);
    result.work.layer_rows_computed += rows;
    const rotary_table rotary(config.rotary, positions);
    for (std::size_t above = layer + 1; above < layers; ++above) {
      const bool last = above + 1 == layers;
      attach_past(above, trials, sequences);
      run_layer(model_, above, sequences, rotary, {},
                last ? rows_wanted::last_of_each_sequence : rows_wanted::all, hidden, buffers);
      result.work.layer_rows_computed += last ? trials.size() : rows;
    }

    std::vector<std::span<const token_id>> words;
    for (const trial& each : trials)
      words.emplace_back(samples_[each.sample].words);
    std::vector<std::vector<double>> scores = label_logits(model_, final_hidden(model_, hidden), words);
    for (std::size_t i = 0; i < trials.size(); ++i) {
      result.scores[trials[i].sample * config.heads + trials[i].head] = std::move(scores[i]);
    }
  }

  // Rows before a trial's first one are the plain pass's.
  void attach_past(std::size_t layer, std::span<const trial> trials,
                   std::span<attention_sequence> sequences) const {
    const matrix& kept = records_[layer].key_value;
    const std::size_t kv_width = model_.config.kv_heads * model_.config.head_size;
    for (std::size_t i = 0; i < trials.size(); ++i) {
      const std::size_t first = packed_.sequences[trials[i].sample].first_query;
      const float* rows = kept.data() + first * extent(kept.cols());
      sequences[i].past = {.keys = rows,
                           .values = rows + kv_width,
                           .count = trials[i].first_row,
                           .stride = extent(kept.cols())};
    }
  }

  const model& model_;
  std::span<const prepared_sample> samples_;
  calibration_options options_;
  layer_range range_;
  packed_prompts packed_;
  std::vector<layer_record> records_;
  std::vector<std::vector<double>> plain_scores_;
  search_work plain_work_;
};

}  // namespace act::inline ACT_ABI
