#include <act/calibrate_row.hpp>
#include <act/column_scores.hpp>
#include <act/error.hpp>
#include <act/inspection/observe.hpp>
#include <act/parallel.hpp>
#include <act/runtime/attention_maps.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/sinks.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

namespace act::inspection {

namespace {

// A layer that has run: what its maps are formed from.
struct layer_maps {
  const runtime::attention_shape& shape;
  const runtime::const_matrix_ref& query;
  const runtime::const_matrix_ref& key;
};

// What becomes of a map in a picture: its sinks, and how their columns are changed, if at all.
struct pictured_calibration {
  std::vector<std::size_t> sinks;
  std::optional<calibration_options> options;
};

// Column sums of every (sequence, head) of a layer, and their pictures. Memory: a block of rows a thread, or
// two where maps are calibrated.
class layer_observer {
 public:
  layer_observer(std::size_t heads, std::span<const runtime::attention_sequence> sequences)
      : heads_(heads),
        sequences_(sequences),
        sums_(sequences.size() * heads),
        memory_(thread_count()),
        calibrated_rows_(thread_count()) {
    for (std::size_t task = 0; task < sums_.size(); ++task)
      sums_[task].resize(sequences[task / heads].queries);
  }

  // `pictures`: one for each (sequence, head), or none.
  void look(const layer_maps& maps, std::span<map_picture> pictures) {
    parallel_for(sums_.size(), [&](std::size_t task, std::size_t worker) noexcept {
      std::vector<double>& sums = sums_[task];
      std::fill(sums.begin(), sums.end(), 0.0);
      const auto add = [&](const attention_view<float>& rows) noexcept {
        add_column_sums(rows, 0, 0, std::span<double>(sums).first(rows.keys));
        if (!pictures.empty()) pictures[task].add(rows);
      };
      for_each_rows(maps, task, worker, add);
    });
  }

  // Pictures of maps as calibration leaves them, one for each (sequence, head): those with a calibration are
  // drawn, the others left alone.
  void look_calibrated(const layer_maps& maps,
                       std::span<const std::optional<pictured_calibration>> calibrations,
                       std::span<map_picture> pictures) {
    parallel_for(calibrations.size(), [&](std::size_t task, std::size_t worker) noexcept {
      if (!calibrations[task]) return;
      for_each_rows(maps, task, worker, [&](const attention_view<float>& rows) noexcept {
        pictures[task].add(calibrated(rows, *calibrations[task], calibrated_rows_[worker]));
      });
    });
  }

  [[nodiscard]] std::span<const double> sums(std::size_t sequence, std::size_t head) const noexcept {
    return sums_[sequence * heads_ + head];
  }

 private:
  template <class Use>
  void for_each_rows(const layer_maps& maps, std::size_t task, std::size_t worker, Use&& use) {
    for_each_map_rows(maps.shape, sequences_[task / heads_], maps.query, maps.key, task % heads_,
                      memory_[worker], use);
  }

  static attention_view<float> calibrated(const attention_view<float>& rows, const pictured_calibration& by,
                                          std::vector<float>& into) {
    const auto end = std::lower_bound(by.sinks.begin(), by.sinks.end(), rows.keys);
    const std::span<const std::size_t> sinks(by.sinks.begin(), end);
    into.clear();
    for (std::size_t i = 0; i < rows.queries; ++i) {
      const float* const row = rows.row(0, 0, i);
      into.insert(into.end(), row, row + rows.keys);
      if (by.options)
        calibrate_row(std::span(into).last(rows.keys), rows.visible.row(0, i), sinks, *by.options);
    }
    return attention_view<float>::packed(into.data(), 1, 1, rows.queries, rows.keys, rows.visible);
  }

  std::size_t heads_;
  std::span<const runtime::attention_sequence> sequences_;
  std::vector<std::vector<double>> sums_;            // [sequence * heads + head][token]
  std::vector<runtime::map_rows_memory> memory_;     // of each thread
  std::vector<std::vector<float>> calibrated_rows_;  // the same
};

// From a head's column sums over a whole prompt. Every row's mass is 1, so the whole is the number of rows.
head_observation observed_head(std::span<const double> sums, std::size_t window,
                               const sink_options& options) {
  const visibility whole{.query_offset = 0, .first_key = {}, .window = window};
  const std::size_t tokens = sums.size();
  std::vector<double> scores(sums.begin(), sums.end());
  for (std::size_t key = 0; key < tokens; ++key)
    scores[key] /= static_cast<double>(whole.rows_seeing(0, key, 0, tokens));
  const auto mass = [&](std::size_t key) { return sums[key] / static_cast<double>(tokens); };
  head_observation head{
      .sinks = {},
      .sink_mass = 0,
      .first_mass = mass(0),
      .first_over_threshold = initial_token_over_threshold(scores, whole, 0, tokens, options),
      .scores = {}};
  for (const sink& found : find_sinks(scores, whole, 0, tokens, options)) {
    head.sinks.push_back({.position = found.position, .score = found.score, .mass = mass(found.position)});
    head.sink_mass += head.sinks.back().mass;
  }
  auto next = head.sinks.begin();
  for (std::size_t key = 0; key < tokens; ++key) {
    const bool sink = next != head.sinks.end() && next->position == key;
    if (sink) ++next;
    score_histogram::bins& bins = key == 0 ? head.scores.first
                                  : sink   ? head.scores.sinks
                                           : head.scores.others;
    ++bins[score_histogram::bin_of(scores[key] * static_cast<double>(tokens))];
  }
  return head;
}

// Batches go through the layers; what is looked at in each is the caller's: look(layer, maps, buffers).
template <class Look>
void run_looking(const runtime::model& model, const runtime::packed_prompts& packed,
                 const runtime::model_calibration& calibration, const std::function<void()>& after_layer,
                 Look&& look) {
  const runtime::model_config& config = model.config;
  const runtime::rotary_tables rotary(config.rotary, packed.positions);
  runtime::matrix hidden = embed(model, packed);
  runtime::layer_buffers buffers;
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    run_layer(model, layer, {.sequences = packed.sequences, .rotary = rotary}, calibration.in_layer(layer),
              hidden, buffers);
    const runtime::attention_shape shape = attention_shape_of(config, layer);
    const runtime::const_matrix_ref query = buffers.query;
    const runtime::const_matrix_ref key = buffers.key_value.columns(0, config.kv_heads * config.head_size);
    look(layer, layer_maps{.shape = shape, .query = query, .key = key});
    if (after_layer) after_layer();
  }
}

std::vector<std::size_t> positions_of(const std::vector<observed_sink>& sinks) {
  std::vector<std::size_t> positions;
  for (const observed_sink& sink : sinks)
    positions.push_back(sink.position);
  return positions;
}

// The observations of a batch while it is run.
class batch_observer {
 public:
  // `number`: the first prompt's, for errors.
  batch_observer(const runtime::model& model, std::span<const std::vector<runtime::token_id>> prompts,
                 std::size_t number, const observe_options& options)
      : model_(model),
        options_(options),
        number_(number),
        packed_(pack(model.config, prompts)),
        observer_(model.config.heads, packed_.sequences) {
    for (const std::vector<runtime::token_id>& prompt : prompts) {
      observed_.push_back(
          {.layers = model.config.layers, .heads = model.config.heads, .tokens = prompt, .found = {}});
    }
  }

  std::vector<prompt_observation> observe(const std::function<void()>& after_layer) {
    const runtime::model_calibration* const asked =
        options_.picture_side > 0 ? options_.calibration : nullptr;
    const bool alone = asked != nullptr && asked->heads.empty();
    run_looking(model_, packed_, {}, after_layer, [&](std::size_t layer, const layer_maps& maps) {
      add_layer(layer, maps);
      if (alone) add_calibrated_alone(layer, maps);
    });
    if (asked != nullptr && !alone) {
      run_looking(model_, packed_, *asked, after_layer,
                  [&](std::size_t layer, const layer_maps& maps) { add_calibrated(layer, maps); });
    }
    return std::move(observed_);
  }

 private:
  [[nodiscard]] std::size_t heads() const noexcept { return model_.config.heads; }

  [[nodiscard]] std::vector<map_picture> blank_pictures() const {
    std::vector<map_picture> pictures;
    for (const prompt_observation& prompt : observed_)
      pictures.insert(pictures.end(), heads(), map_picture(prompt.tokens.size(), options_.picture_side));
    return pictures;
  }

  void add_layer(std::size_t layer, const layer_maps& maps) {
    std::vector<map_picture> pictures;
    if (options_.picture_side > 0) pictures = blank_pictures();
    observer_.look(maps, pictures);
    for (std::size_t at = 0; at < observed_.size(); ++at) {
      prompt_observation& prompt = observed_[at];
      const double tokens = static_cast<double>(prompt.tokens.size());
      for (std::size_t head = 0; head < heads(); ++head) {
        const std::span<const double> sums = observer_.sums(at, head);
        if (!std::all_of(sums.begin(), sums.end(), [](double sum) { return std::isfinite(sum); })) {
          throw error(error_code::invalid_input, "prompt " + std::to_string(number_ + at),
                      "the attention of layer " + std::to_string(layer) + ", head " + std::to_string(head) +
                          " isn't finite; the model's weights are damaged or overflow float32");
        }
        prompt.found.push_back(observed_head(sums, maps.shape.window, options_.sinks));
        if (pictures.empty()) continue;
        prompt.pictures.push_back(std::move(pictures[at * heads() + head]));
        std::vector<double>& received = prompt.received.emplace_back(sums.begin(), sums.end());
        for (double& share : received)
          share /= tokens;
      }
    }
  }

  // A head's map doesn't depend on what is done to its layer, so the plain pass's is the one that a head
  // calibrated alone starts from.
  void add_calibrated_alone(std::size_t layer, const layer_maps& maps) {
    std::vector<map_picture> pictures = blank_pictures();
    std::vector<std::optional<pictured_calibration>> calibrations(pictures.size());
    for (std::size_t task = 0; task < pictures.size(); ++task) {
      const prompt_observation& prompt = observed_[task / heads()];
      const std::size_t head = layer * heads() + task % heads();
      const calibration_options& by = options_.calibration->options;
      if (prompt.found[head].sinks.empty() && by.redistribute != redistribution::temperature) {
        pictures[task] = prompt.pictures[head];
      } else {
        calibrations[task] = {.sinks = positions_of(prompt.found[head].sinks), .options = by};
      }
    }
    observer_.look_calibrated(maps, calibrations, pictures);
    keep_calibrated(std::move(pictures));
  }

  void add_calibrated(std::size_t layer, const layer_maps& maps) {
    std::vector<map_picture> pictures = blank_pictures();
    const runtime::attention_calibration of_layer = options_.calibration->in_layer(layer);
    observer_.look(maps, {});  // their sinks
    std::vector<std::optional<pictured_calibration>> calibrations(pictures.size());
    for (std::size_t task = 0; task < pictures.size(); ++task) {
      pictured_calibration& one = calibrations[task].emplace();
      const std::size_t head = task % heads();
      if (!of_layer.heads.contains(head)) continue;
      calibration_options all = of_layer.options;
      all.strengths = of_layer.strengths;
      const calibration_options own = all.of_head(of_layer.heads.index_of(head));
      one = {.sinks = positions_of(
                 observed_head(observer_.sums(task / heads(), head), maps.shape.window, own.sinks).sinks),
             .options = own};
    }
    observer_.look_calibrated(maps, calibrations, pictures);
    keep_calibrated(std::move(pictures));
  }

  void keep_calibrated(std::vector<map_picture> pictures) {
    for (std::size_t task = 0; task < pictures.size(); ++task)
      observed_[task / heads()].calibrated.push_back(std::move(pictures[task]));
  }

  const runtime::model& model_;
  const observe_options& options_;
  std::size_t number_;
  runtime::packed_prompts packed_;
  layer_observer observer_;
  std::vector<prompt_observation> observed_;
};

void check(const observe_options& options) {
  throw_if(options.sinks.validate(), error_code::invalid_option);
  if (options.calibration == nullptr) return;
  const calibration_options& by = options.calibration->options;
  throw_if(by.validate(), error_code::invalid_option);
  if (options.calibration->masks || by.columns != column_choice::sinks ||
      by.behave_as == compatibility::authors) {
    throw error(error_code::unsupported, "calibration",
                "maps are shown as calibrated sinks leave them, not with other columns, masked heads or the "
                "authors' code");
  }
}

}  // namespace

std::vector<prompt_observation> observe(const runtime::model& model,
                                        std::span<const std::vector<runtime::token_id>> prompts,
                                        const observe_options& options,
                                        const std::function<void()>& after_layer) {
  check(options);
  return batch_observer(model, prompts, 0, options).observe(after_layer);
}

void observe_each(const runtime::model& model, std::span<const std::vector<runtime::token_id>> prompts,
                  const observe_options& options,
                  const std::function<void(std::size_t, prompt_observation&&)>& found,
                  const std::function<void()>& after_layer) {
  check(options);
  (void)pack(model.config, prompts);  // a prompt that can't be run is noticed before the first one is
  constexpr std::size_t tokens_per_batch = 1024;  // as for scoring: tall products, activations in cache
  for (std::size_t first = 0; first < prompts.size();) {
    std::size_t count = 0;
    for (std::size_t tokens = 0; first + count < prompts.size(); ++count) {
      tokens += prompts[first + count].size();
      if (count > 0 && tokens > tokens_per_batch) break;
    }
    std::vector<prompt_observation> batch =
        batch_observer(model, prompts.subspan(first, count), first, options).observe(after_layer);
    for (std::size_t i = 0; i < batch.size(); ++i)
      found(first + i, std::move(batch[i]));
    first += count;
  }
}

}  // namespace act::inspection
