#include <act/column_scores.hpp>
#include <act/error.hpp>
#include <act/inspection/observe.hpp>
#include <act/parallel.hpp>
#include <act/runtime/attention_maps.hpp>
#include <act/runtime/forward.hpp>
#include <act/sinks.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace act::inspection {

namespace {

// Column sums of every (sequence, head) of a layer, and their pictures. Memory: a block of rows a thread.
class layer_observer {
 public:
  layer_observer(std::size_t heads, std::span<const runtime::attention_sequence> sequences)
      : heads_(heads), sequences_(sequences), sums_(sequences.size() * heads), memory_(thread_count()) {
    for (std::size_t task = 0; task < sums_.size(); ++task)
      sums_[task].resize(sequences[task / heads].queries);
  }

  // `pictures`: one for each (sequence, head), or none.
  void look(const runtime::attention_shape& shape, const runtime::const_matrix_ref& query,
            const runtime::const_matrix_ref& key, std::span<map_picture> pictures) {
    parallel_for(sums_.size(), [&](std::size_t task, std::size_t worker) noexcept {
      std::vector<double>& sums = sums_[task];
      std::fill(sums.begin(), sums.end(), 0.0);
      const auto add = [&](const attention_view<float>& rows) noexcept {
        add_column_sums(rows, 0, 0, std::span<double>(sums).first(rows.keys));
        if (!pictures.empty()) pictures[task].add(rows);
      };
      for_each_map_rows(shape, sequences_[task / heads_], query, key, task % heads_, memory_[worker], add);
    });
  }

  [[nodiscard]] std::span<const double> sums(std::size_t sequence, std::size_t head) const noexcept {
    return sums_[sequence * heads_ + head];
  }

 private:
  std::size_t heads_;
  std::span<const runtime::attention_sequence> sequences_;
  std::vector<std::vector<double>> sums_;         // [sequence * heads + head][token]
  std::vector<runtime::map_rows_memory> memory_;  // of each thread
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

// `number`: the first prompt's, for errors.
std::vector<prompt_observation> observe_batch(const runtime::model& model,
                                              std::span<const std::vector<runtime::token_id>> prompts,
                                              std::size_t number, const observe_options& options,
                                              const std::function<void()>& after_layer) {
  const runtime::model_config& config = model.config;
  const runtime::packed_prompts packed = pack(config, prompts);
  const runtime::rotary_tables rotary(config.rotary, packed.positions);
  std::vector<prompt_observation> observed;
  for (const std::vector<runtime::token_id>& prompt : prompts)
    observed.push_back({.layers = config.layers, .heads = config.heads, .tokens = prompt, .found = {}});

  runtime::matrix hidden = embed(model, packed);
  runtime::layer_buffers buffers;
  layer_observer observer(config.heads, packed.sequences);
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    run_layer(model, layer, {.sequences = packed.sequences, .rotary = rotary}, {}, hidden, buffers);
    std::vector<map_picture> pictures;
    if (options.picture_side > 0) {
      for (const std::vector<runtime::token_id>& prompt : prompts)
        pictures.insert(pictures.end(), config.heads, map_picture(prompt.size(), options.picture_side));
    }
    const runtime::attention_shape shape = attention_shape_of(config, layer);
    observer.look(shape, buffers.query, buffers.key_value.columns(0, config.kv_heads * config.head_size),
                  pictures);
    for (std::size_t at = 0; at < prompts.size(); ++at) {
      prompt_observation& prompt = observed[at];
      const double tokens = static_cast<double>(prompt.tokens.size());
      for (std::size_t head = 0; head < config.heads; ++head) {
        const std::span<const double> sums = observer.sums(at, head);
        if (!std::all_of(sums.begin(), sums.end(), [](double sum) { return std::isfinite(sum); })) {
          throw error(error_code::invalid_input, "prompt " + std::to_string(number + at),
                      "the attention of layer " + std::to_string(layer) + ", head " + std::to_string(head) +
                          " isn't finite; the model's weights are damaged or overflow float32");
        }
        prompt.found.push_back(observed_head(sums, shape.window, options.sinks));
        if (pictures.empty()) continue;
        prompt.pictures.push_back(std::move(pictures[at * config.heads + head]));
        std::vector<double>& received = prompt.received.emplace_back(sums.begin(), sums.end());
        for (double& share : received)
          share /= tokens;
      }
    }
    if (after_layer) after_layer();
  }
  return observed;
}

}  // namespace

std::vector<prompt_observation> observe(const runtime::model& model,
                                        std::span<const std::vector<runtime::token_id>> prompts,
                                        const observe_options& options,
                                        const std::function<void()>& after_layer) {
  throw_if(options.sinks.validate(), error_code::invalid_option);
  return observe_batch(model, prompts, 0, options, after_layer);
}

void observe_each(const runtime::model& model, std::span<const std::vector<runtime::token_id>> prompts,
                  const observe_options& options,
                  const std::function<void(std::size_t, prompt_observation&&)>& found,
                  const std::function<void()>& after_layer) {
  throw_if(options.sinks.validate(), error_code::invalid_option);
  (void)pack(model.config, prompts);  // a prompt that can't be run is noticed before the first one is
  constexpr std::size_t tokens_per_batch = 1024;  // as for scoring: tall products, activations in cache
  for (std::size_t first = 0; first < prompts.size();) {
    std::size_t count = 0;
    for (std::size_t tokens = 0; first + count < prompts.size(); ++count) {
      tokens += prompts[first + count].size();
      if (count > 0 && tokens > tokens_per_batch) break;
    }
    std::vector<prompt_observation> batch =
        observe_batch(model, prompts.subspan(first, count), first, options, after_layer);
    for (std::size_t i = 0; i < batch.size(); ++i)
      found(first + i, std::move(batch[i]));
    first += count;
  }
}

}  // namespace act::inspection
