#include <act/runtime/forward.hpp>
#include <act/search/head_attribution.hpp>
#include <act/search/layer_range.hpp>
#include <act/search/scored_texts.hpp>
#include <act/search/shared_trials.hpp>
#include <act/search/trials.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

trial_runner::trial_runner(const runtime::model& model, std::span<const tasks::prepared_sample> samples,
                           const calibration_options& options, layer_range range, bool masks,
                           std::vector<double> strengths)
    : model_(model),
      texts_(samples),
      options_(options),
      strengths_(std::move(strengths)),
      masks_(masks),
      range_(range) {
  std::vector<std::vector<runtime::token_id>> whole;
  for (const scored_sequence& text : texts_.sequences()) {
    whole.emplace_back(text.tokens.begin(), text.tokens.end());
    if (options.redistribute == redistribution::subset || options.columns == column_choice::span)
      subsets_.emplace_back(text.subset.begin(), text.subset.end());
  }
  packed_ = pack(model.config, whole);
  run_plain_pass();
}

layer_trials trial_runner::run(std::size_t layer, const std::function<void(std::size_t)>& on_batch) const {
  std::vector<std::size_t> heads(model_.config.heads);
  std::iota(heads.begin(), heads.end(), std::size_t{0});
  return run(layer, heads, on_batch);
}

layer_trials trial_runner::run(std::size_t layer, std::span<const std::size_t> heads,
                               const std::function<void(std::size_t)>& on_batch, std::size_t strength) const {
  const std::size_t samples = texts_.samples();
  layer_trials result;
  result.scores.resize(samples * heads.size());
  result.has_sinks.resize(result.scores.size());
  result.initial_mass.resize(result.scores.size());

  std::vector<trial_part> batch;
  std::size_t batch_rows = 0, batch_trials = 0, untouched = 0;
  const auto flush = [&] {
    if (batch.empty()) return;
    run_batch(layer, strength, batch, heads, result);
    if (on_batch) on_batch(batch_trials);
    batch.clear();
    batch_rows = batch_trials = 0;
  };
  for (std::size_t i = 0; i < heads.size(); ++i) {
    head_trials trials = trials_of(layer, heads[i]);
    result.work += work_without_rows(trials);
    for (std::size_t sample = 0; sample < samples; ++sample) {
      const std::size_t place = sample * heads.size() + i;
      result.scores[place] = plain_scores_[sample];
      result.has_sinks[place] = trials.has_sinks[sample];
      result.initial_mass[place] = trials.initial_mass[sample];
    }
    untouched += trials.untouched;
    if (batch_rows + trials.rows > rows_per_batch) flush();
    for (trial_part& part : trials.parts)
      part.shared_with += batch.size();
    batch.insert(batch.end(), trials.parts.begin(), trials.parts.end());
    batch_rows += trials.rows;
    batch_trials += samples - trials.untouched;
  }
  flush();
  if (on_batch && untouched > 0) on_batch(untouched);
  result.work.layer_rows_avoided -= result.work.layer_rows_computed;
  return result;
}

head_attributions trial_runner::attributions_down_to(std::size_t first_layer,
                                                     const std::function<void()>& on_layer) const {
  std::vector<attributed_layer> layers;
  for (std::size_t each = first_layer; each <= range_.last; ++each) {
    const layer_record& record = records_[each];
    layers.push_back({.input = record.input,
                      .attention = record.attention,
                      .alternatives = record.alternatives.attention});
  }
  return {model_, texts_, packed_, {first_layer, range_.last}, layers, on_layer};
}

std::uint64_t trial_runner::try_estimates(const std::function<void()>& on_layer) const {
  static_cast<void>(attributions_down_to(range_.last, on_layer));
  std::uint64_t rows = 0;
  for (std::size_t text = 0; text < texts_.sequences().size(); ++text)
    rows += attribution_rows(texts_, text);
  return rows * (model_.config.layers - range_.last);
}

layer_trials trial_runner::estimate(std::size_t layer, std::span<const std::size_t> heads,
                                    std::size_t strength, const std::function<void()>& on_layer) {
  if (!attributions_) attributions_.emplace(attributions_down_to(range_.first, on_layer));
  layer_trials result;
  const std::size_t samples = texts_.samples();
  for (std::size_t sample = 0; sample < samples; ++sample)
    result.scores.insert(result.scores.end(), heads.size(), plain_scores_[sample]);
  result.has_sinks.resize(result.scores.size());
  result.initial_mass.resize(result.scores.size());
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const head_trials trials = trials_of(layer, heads[i]);
    for (std::size_t sample = 0; sample < samples; ++sample) {
      result.has_sinks[sample * heads.size() + i] = trials.has_sinks[sample];
      result.initial_mass[sample * heads.size() + i] = trials.initial_mass[sample];
    }
    for (const trial_part& part : trials.parts) {
      const scored_sequence& text = texts_[part.sequence];
      std::vector<double>& scores = result.scores[text.sample * heads.size() + i];
      for (std::size_t score = 0; score < texts_.scores_of(part.sequence); ++score)
        scores[text.answer + score] += attributions_->change(layer, strength, heads[i], part.sequence, score);
      result.work.layer_rows_avoided += layer_rows_of(layer, part);
    }
  }
  // Going backwards is the same for every strength.
  for (std::size_t text = 0; strength == 0 && text < texts_.sequences().size(); ++text)
    result.work.layer_rows_computed += attribution_rows(texts_, text);
  return result;
}

search_work trial_runner::work_of(std::size_t layer, std::span<const std::size_t> heads) const {
  search_work work;
  for (const std::size_t head : heads) {
    const head_trials trials = trials_of(layer, head);
    work += work_without_rows(trials);
    for (const trial_part& part : trials.parts)
      work.layer_rows_computed += layer_rows_of(layer, part);
  }
  work.layer_rows_avoided -= work.layer_rows_computed;
  return work;
}

search_work trial_runner::work_without_rows(const head_trials& trials) const {
  return {.layer_rows_computed = 0,
          .layer_rows_avoided = packed_.rows() * model_.config.layers,
          .trials = texts_.samples(),
          .trials_without_sinks = static_cast<std::uint64_t>(
              std::count(trials.has_sinks.begin(), trials.has_sinks.end(), std::uint8_t{0}))};
}

std::uint64_t trial_runner::layer_rows_of(std::size_t layer, const trial_part& part) const {
  const std::uint64_t above = model_.config.layers - 1 - layer;
  if (above == 0) return part.rows();
  return part.rows() * above + (texts_.last_rows_only() ? 1 : part.rows());
}

trial_runner::head_trials trial_runner::trials_of(std::size_t layer, std::size_t head) const {
  // Where the last layer is the first to change, only rows that count are run at all.
  const bool scored_only = layer + 1 == model_.config.layers;
  head_trials made;
  made.has_sinks.resize(texts_.samples());
  made.initial_mass.resize(texts_.samples());
  for (std::size_t sample = 0; sample < texts_.samples(); ++sample) {
    const std::size_t begin = texts_.first_of(sample), after = texts_.first_of(sample + 1);
    const std::size_t parts_before = made.parts.size();
    for (std::size_t at = begin; at < after; ++at) {
      const runtime::head_alternative& found =
          records_[layer].alternatives.found[at * model_.config.heads + head];
      made.initial_mass[sample] += found.initial_mass / static_cast<double>(after - begin);
      if (!found.has_sinks) continue;
      made.has_sinks[sample] = 1;
      if (found.first_row >= texts_[at].end) continue;
      const std::size_t first =
          scored_only ? std::max(found.first_row, texts_[at].first_scored) : found.first_row;
      made.parts.push_back({.sequence = at, .head = head, .first_row = first, .end = texts_[at].end});
    }
    if (made.parts.size() == parts_before) ++made.untouched;
  }
  share_rows(made.parts, [&](const trial_part& a, const trial_part& b) { return rows_alike(layer, a, b); });
  for (const trial_part& part : made.parts)
    made.rows += part.rows();
  return made;
}

std::size_t trial_runner::rows_alike(std::size_t layer, const trial_part& a, const trial_part& b) const {
  // Rows that count stay each text's own, and so many that attention is to the bit what it is without
  // sharing.
  using runtime::few_queries;
  const scored_sequence &text_a = texts_[a.sequence], &text_b = texts_[b.sequence];
  const std::size_t first = b.first_row;
  if (a.first_row != first || a.end - first <= few_queries || b.end - first <= few_queries) return 0;
  const std::size_t end = std::min({a.end, b.end - few_queries - 1, text_b.first_scored});
  if (end <= first) return 0;
  const auto a_tokens = text_a.tokens.first(end);
  const auto differs = std::mismatch(a_tokens.begin(), a_tokens.end(), text_b.tokens.begin()).first;
  std::size_t alike = static_cast<std::size_t>(differs - a_tokens.begin());
  // The head's rows, whatever it is that changes them: sinks, columns, a subset.
  const std::size_t width = model_.config.head_size;
  for (const runtime::matrix& attention : records_[layer].alternatives.attention) {
    const runtime::const_matrix_ref outputs = attention.columns(b.head * width, width);
    const auto row = [&](const trial_part& part, std::size_t number) {
      return outputs.row(packed_.sequences[part.sequence].first_query + number);
    };
    for (std::size_t at = first; at < alike; ++at) {
      if (!std::equal(row(a, at).begin(), row(a, at).end(), row(b, at).begin())) alike = at;
    }
  }
  return alike > first ? alike - first : 0;
}

runtime::rows_wanted trial_runner::last_layer_rows() const {
  return texts_.last_rows_only() ? runtime::rows_wanted::last_of_each_sequence : runtime::rows_wanted::all;
}

void trial_runner::run_plain_pass() {
  const std::size_t layers = model_.config.layers;
  records_.resize(layers);
  const runtime::rotary_tables rotary(model_.config.rotary, packed_.positions);
  runtime::layer_buffers buffers;
  runtime::matrix hidden = embed(model_, packed_);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const bool last = layer + 1 == layers;
    const bool searched = range_.contains(layer);
    layer_record& record = records_[layer];
    if (searched) record.input = hidden;
    const runtime::layer_rows rows{.sequences = packed_.sequences,
                                   .rotary = rotary,
                                   .wanted = last ? last_layer_rows() : runtime::rows_wanted::all};
    if (searched) {
      run_layer_with_alternatives(model_, layer, rows,
                                  {.heads = {},
                                   .options = options_,
                                   .trackers = nullptr,
                                   .subsets = subsets_,
                                   .masks = masks_,
                                   .strengths = strengths_},
                                  hidden, buffers, record.alternatives);
    } else {
      run_layer(model_, layer, rows, {}, hidden, buffers);
    }
    if (searched) record.attention = buffers.attention;
    if (layer > range_.first) record.key_value = buffers.key_value;
    plain_work_.layer_rows_computed += hidden.rows();
  }

  std::vector<scored_part> parts;
  for (std::size_t at = 0; at < texts_.sequences().size(); ++at) {
    const std::size_t first = texts_[at].first_scored;
    parts.push_back({.sequence = at, .first = first, .row = packed_.sequences[at].first_query + first});
  }
  plain_values_ = texts_.values(model_, parts, hidden);
  plain_scores_.resize(texts_.samples());
  for (std::size_t at = 0; at < parts.size(); ++at)
    texts_.score(at, plain_values_[at], plain_scores_[texts_[at].sample]);
}

void trial_runner::gather(std::size_t layer, std::size_t strength, std::size_t head, std::size_t first_source,
                          std::size_t rows, std::size_t target, runtime::matrix& hidden,
                          runtime::matrix& attention) const {
  const layer_record& record = records_[layer];
  const std::size_t width = model_.config.head_size;
  const std::size_t column = head * width;
  copy(record.input.row_block(first_source, rows), hidden.row_block(target, rows));
  const runtime::matrix_ref to = attention.row_block(target, rows);
  copy(record.attention.row_block(first_source, rows), to);
  copy(record.alternatives.attention[strength].row_block(first_source, rows).columns(column, width),
       to.columns(column, width));
}

void trial_runner::run_batch(std::size_t layer, std::size_t strength, std::span<const trial_part> batch,
                             std::span<const std::size_t> heads, layer_trials& result) const {
  const runtime::model_config& config = model_.config;
  const std::size_t layers = config.layers;
  const stacked_trials stacked(batch);
  std::vector<runtime::attention_sequence> sequences = stacked.sequences();
  const std::size_t rows = stacked.positions().size();

  runtime::matrix hidden(rows, config.hidden);
  runtime::matrix attention(rows, config.heads * config.head_size);
  std::vector<scored_part> parts;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const trial_part& each = batch[i];
    gather(layer, strength, each.head, packed_.sequences[each.sequence].first_query + each.own_row(),
           each.rows(), sequences[i].first_query, hidden, attention);
    const std::size_t first = std::max(each.first_row, texts_[each.sequence].first_scored);
    parts.push_back({.sequence = each.sequence,
                     .first = first,
                     .row = sequences[i].first_query + first - each.own_row()});
  }

  runtime::layer_buffers buffers;
  finish_layer(config, model_.layers[layer], attention, hidden, buffers);
  result.work.layer_rows_computed += rows;
  const runtime::rotary_tables rotary(config.rotary, stacked.positions());
  for (std::size_t above = layer + 1; above < layers; ++above) {
    const bool last = above + 1 == layers;
    attach_past(above, batch, sequences);
    const runtime::layer_rows run{.sequences = sequences,
                                  .rotary = rotary,
                                  .wanted = last ? last_layer_rows() : runtime::rows_wanted::all};
    run_layer(model_, above, run, {}, hidden, buffers);
    result.work.layer_rows_computed += hidden.rows();
  }

  const std::vector<std::vector<double>> changed = texts_.values(model_, parts, hidden);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    // Rows that count and come before the first sink say what they said.
    const scored_sequence& text = texts_[batch[i].sequence];
    std::vector<double> values = plain_values_[batch[i].sequence];
    std::copy(changed[i].begin(), changed[i].end(), values.end() - std::ssize(changed[i]));
    const auto place =
        static_cast<std::size_t>(std::lower_bound(heads.begin(), heads.end(), batch[i].head) - heads.begin());
    texts_.score(batch[i].sequence, values, result.scores[text.sample * heads.size() + place]);
  }
}

void trial_runner::attach_past(std::size_t layer, std::span<const trial_part> batch,
                               std::span<runtime::attention_sequence> sequences) const {
  const runtime::matrix& kept = records_[layer].key_value;
  const std::size_t kv_width = model_.config.kv_heads * model_.config.head_size;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::size_t first = packed_.sequences[batch[i].sequence].first_query;
    const float* rows = kept.data() + first * kept.cols();
    sequences[i].past = {
        .keys = rows, .values = rows + kv_width, .count = batch[i].first_row, .stride = kept.cols()};
  }
}

}  // namespace act::search
