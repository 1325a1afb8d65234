#include <act/error.hpp>
#include <act/inspection/predictability.hpp>
#include <act/parallel.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/model.hpp>
#include <act/statistics/linear_prediction.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace act::inspection {

namespace {

std::size_t heads_of(const runtime::model_config& config, head_vectors which) noexcept {
  return which == head_vectors::queries ? config.heads : config.kv_heads;
}

// Rows of `from` that count, for each kind the ones of the last few layers side by side.
class joined_layers {
 public:
  joined_layers(std::size_t width, std::size_t layers) : width_(width), layers_(layers) {}

  // Puts the next layer's vectors behind those before it, and drops what is too far below.
  void push(const runtime::const_matrix_ref& vectors, const std::vector<std::uint32_t>& rows) {
    const std::size_t kept = std::min(held_, layers_ - 1);
    std::vector<float> next(rows.size() * (kept + 1) * width_);
    for (std::size_t at = 0; at < rows.size(); ++at) {
      float* const to = next.data() + at * (kept + 1) * width_;
      if (kept > 0) {
        const float* const from = joined_.data() + (at * held_ + held_ - kept) * width_;
        std::copy_n(from, kept * width_, to);
      }
      std::copy_n(vectors.row(rows[at]).data(), width_, to + kept * width_);
    }
    joined_ = std::move(next);
    held_ = kept + 1;
  }

  void add_to(statistics::moments& sums) const {
    const std::size_t stride = held_ * width_;
    sums.add(joined_.data(), joined_.size() / stride, stride);
  }

 private:
  std::size_t width_, layers_, held_ = 0;
  std::vector<float> joined_;  // [rows, held, width]
};

}  // namespace

std::string_view name_of(head_vectors which) noexcept {
  switch (which) {
    case head_vectors::queries:
      return "queries";
    case head_vectors::keys:
      return "keys";
    case head_vectors::rotated_keys:
      return "rotated keys";
    case head_vectors::values:
      return "values";
  }
  return "?";
}

std::vector<head_vectors> vectors_of(const runtime::model_config& config) {
  std::vector<head_vectors> all{head_vectors::queries, head_vectors::keys, head_vectors::rotated_keys,
                                head_vectors::values};
  if (config.rotary.empty()) all.erase(all.begin() + 2);
  return all;
}

std::uint64_t head_moments::bytes(const runtime::model_config& config,
                                  const predictability_options& options) {
  std::uint64_t sum = 0;
  for (const head_vectors which : options.of.empty() ? vectors_of(config) : options.of) {
    for (std::size_t layer = 0; layer < config.layers; ++layer) {
      const std::size_t together = std::min(layer, options.lower_layers) + 1;
      sum += 2 * statistics::moments::bytes(together * heads_of(config, which) * config.head_size);
    }
  }
  return sum;
}

head_moments::head_moments(const runtime::model& model, predictability_options options)
    : model_(&model), options_(std::move(options)), layers_(model.config.layers) {
  const runtime::model_config& config = model.config;
  if (options_.references == 0)
    throw error(error_code::invalid_option, "references",
                "must be 1 or more: a head predicts nothing from none");
  if (!(options_.ridge >= 0 && options_.ridge <= 1))
    throw error(error_code::invalid_option, "ridge", "must be from 0 to 1");
  if (options_.of.empty()) options_.of = vectors_of(config);
  for (const head_vectors which : options_.of) {
    if (which == head_vectors::rotated_keys && config.rotary.empty()) {
      throw error(error_code::unsupported, "rotated keys",
                  "are none of " + config.architecture + "'s, which has no rotary positions; ask for keys");
    }
    for (std::size_t layer = 0; layer < layers_; ++layer) {
      const std::size_t together = layer - first_layer(layer) + 1;
      for (int part = 0; part < 2; ++part)
        sums_.emplace_back(together * heads_of(config, which) * config.head_size);
    }
  }
}

void head_moments::add(std::span<const std::vector<runtime::token_id>> windows, bool held_out) {
  const runtime::model_config& config = model_->config;
  const runtime::packed_prompts packed = pack(config, windows);
  const runtime::rotary_tables rotary(config.rotary, packed.positions);
  const runtime::layer_rows layer_rows{.sequences = packed.sequences, .rotary = rotary};
  std::vector<std::uint32_t> rows;
  for (std::size_t row = 0; row < packed.rows(); ++row) {
    if (packed.positions[row] >= options_.left_out) rows.push_back(static_cast<std::uint32_t>(row));
  }
  const std::size_t kv_width = config.kv_heads * config.head_size;
  std::vector<joined_layers> joined;
  for (const head_vectors which : options_.of)
    joined.emplace_back(heads_of(config, which) * config.head_size, options_.lower_layers + 1);

  runtime::matrix hidden = embed(*model_, packed);
  runtime::layer_buffers before, buffers;
  for (std::size_t layer = 0; layer < layers_; ++layer) {
    project_heads(*model_, layer, hidden, before);
    run_layer(*model_, layer, layer_rows, {}, hidden, buffers);
    for (std::size_t kind = 0; kind < options_.of.size(); ++kind) {
      switch (options_.of[kind]) {
        case head_vectors::queries:
          joined[kind].push(before.query, rows);
          break;
        case head_vectors::keys:
          joined[kind].push(before.key_value.columns(0, kv_width), rows);
          break;
        case head_vectors::rotated_keys:
          joined[kind].push(buffers.key_value.columns(0, kv_width), rows);
          break;
        case head_vectors::values:
          joined[kind].push(before.key_value.columns(kv_width, kv_width), rows);
          break;
      }
      statistics::moments& sums = sums_[(kind * layers_ + layer) * 2 + (held_out ? 1 : 0)];
      joined[kind].add_to(sums);
      if (!sums.finite()) {
        throw error(error_code::invalid_input, "layer " + std::to_string(layer),
                    "has " + std::string(name_of(options_.of[kind])) +
                        " that aren't finite; the model's weights are damaged or overflow float32");
      }
    }
  }
}

std::optional<double> kind_prediction::mean(std::size_t layer, std::size_t references) const {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t head = 0; head < heads; ++head) {
    const head_prediction& one = at(layer, head);
    if (one.held_out.size() < references) continue;
    sum += one.held_out[references - 1];
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

std::optional<double> kind_prediction::mean(std::size_t references,
                                            std::vector<double> head_prediction::*list) const {
  double sum = 0;
  std::size_t count = 0;
  for (const head_prediction& one : found) {
    if ((one.*list).size() < references) continue;
    sum += (one.*list)[references - 1];
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

namespace {

head_prediction predict(const head_moments& of, std::size_t kind, std::size_t layer, std::size_t heads,
                        std::size_t head) {
  const predictability_options& options = of.options();
  const std::size_t size = of.model().config.head_size, first = of.first_layer(layer);
  const std::size_t own = (layer - first) * heads + head;
  std::vector<statistics::stretch> candidates;
  std::vector<layer_head> names;
  for (std::size_t other = 0; other < (layer - first + 1) * heads; ++other) {
    if (other == own) continue;
    candidates.push_back({.first = other * size, .count = size});
    names.push_back({.layer = first + other / heads, .head = other % heads});
  }
  const statistics::stretch output{.first = own * size, .count = size};
  const statistics::moments& fitted = of.at(kind, layer, false);
  const statistics::moments& held_out = of.at(kind, layer, true);
  head_prediction found;
  std::vector<statistics::stretch> inputs;
  for (const std::size_t next :
       choose_predictors(fitted, candidates, output, options.references, options.ridge)) {
    inputs.push_back(candidates[next]);
    const statistics::linear_map map = fit_linear_map(fitted, inputs, output, options.ridge);
    const auto seen = explained(map, fitted), unseen = explained(map, held_out);
    if (!seen || !unseen) break;
    found.references.push_back(names[next]);
    found.fitted.push_back(seen->mean);
    found.held_out.push_back(unseen->mean);
    found.pooled.push_back(unseen->pooled);
  }
  return found;
}

}  // namespace

predictability predict_heads(const head_moments& of, const std::function<void()>& after_layer) {
  const runtime::model_config& config = of.model().config;
  predictability made{
      .fitted_tokens = of.at(0, 0, false).count(), .held_out_tokens = of.at(0, 0, true).count(), .kinds = {}};
  if (made.fitted_tokens < 2 || made.held_out_tokens < 2) {
    throw error(error_code::invalid_input, "text",
                "is too short to fit on one part and look at another; give a longer one, or shorter windows");
  }
  for (std::size_t kind = 0; kind < of.options().of.size(); ++kind) {
    const std::size_t heads = heads_of(config, of.options().of[kind]);
    kind_prediction& all = made.kinds.emplace_back(kind_prediction{
        .of = of.options().of[kind], .layers = config.layers, .heads = heads, .head_size = config.head_size});
    all.found.resize(config.layers * heads);
    for (std::size_t layer = 0; layer < config.layers; ++layer) {
      parallel_for(heads, [&](std::size_t head) noexcept {
        all.found[layer * heads + head] = predict(of, kind, layer, heads, head);
      });
      if (after_layer) after_layer();
    }
  }
  return made;
}

}  // namespace act::inspection
