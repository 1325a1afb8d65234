// A Llama in double precision with calibrated decoding, written from the definitions: one sequence, plain
// loops, every raw row of attention kept, with sliding windows and a cache that evicts. It reads the weights
// of a loaded model and shares nothing else with include/act/runtime. Tests compare the decoder against it.
#pragma once

#include <act/runtime/model.hpp>

#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace reference {

class double_llama {
 public:
  using row = std::vector<double>;
  struct rule {
    double alpha = 5, beta = 0.4;
    std::size_t min_visible_rows = 1;
    std::size_t position_limit = 0;  // tokens from here on are never sinks; 0: all may be
  };

  /// Beside the first `sinks` tokens the last `window` ones stay; a window of 0: all do.
  struct kept_tokens {
    std::size_t window = 0, sinks = 0;
  };

  double_llama(const act::runtime::model& of, std::set<std::pair<std::size_t, std::size_t>> heads, rule how)
      : double_llama(of, std::move(heads), how, kept_tokens{}) {}
  double_llama(const act::runtime::model& of, std::set<std::pair<std::size_t, std::size_t>> heads, rule how,
               kept_tokens stay)
      : model_(of),
        heads_(std::move(heads)),
        rule_(how),
        stay_(stay),
        keys_(of.config.layers),
        values_(of.config.layers) {}

  /// Heads are calibrated over the whole map: every row decides about every column.
  row prompt(const std::vector<act::runtime::token_id>& tokens) {
    std::vector<row> hidden;
    for (const act::runtime::token_id token : tokens)
      hidden.push_back(embedding(token));
    for (std::size_t layer = 0; layer < model_.config.layers; ++layer)
      run_layer(layer, hidden, true);
    return logits(hidden.back());
  }

  /// The one new row is calibrated by what the rows so far say, itself included.
  row append(act::runtime::token_id token) {
    if (stay_.window != 0 && kept_.size() == stay_.window + stay_.sinks) {
      const auto oldest = static_cast<std::ptrdiff_t>(stay_.sinks);
      kept_.erase(kept_.begin() + oldest);
      for (std::size_t layer = 0; layer < keys_.size(); ++layer) {
        keys_[layer].erase(keys_[layer].begin() + oldest);
        values_[layer].erase(values_[layer].begin() + oldest);
      }
    }
    std::vector<row> hidden{embedding(token)};
    for (std::size_t layer = 0; layer < model_.config.layers; ++layer)
      run_layer(layer, hidden, false);
    return logits(hidden.back());
  }

  /// One head's raw map so far, a row a token: row i has the weights of the keys 0 .. i.
  const std::vector<row>& raw_map(std::size_t layer, std::size_t head) const {
    return raw_.at({layer, head});
  }

 private:
  row embedding(act::runtime::token_id token) const {
    std::vector<float> stored(model_.embedding.columns());
    model_.embedding.copy_row(static_cast<std::size_t>(token), stored);
    return {stored.begin(), stored.end()};
  }
  static row normed(const act::runtime::norm& by, const row& x) {
    double squares = 0;
    for (const double v : x)
      squares += v * v;
    row result = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
      result[i] *= static_cast<double>(by.weight[i]) /
                   std::sqrt(squares / static_cast<double>(x.size()) + static_cast<double>(by.epsilon));
    }
    return result;
  }
  static row product(const act::runtime::linear& by, const row& x) {
    row result(by.outputs(), 0.0);
    std::vector<float> weights(x.size());
    for (std::size_t o = 0; o < by.outputs(); ++o) {
      by.weight.copy_row(o, weights);
      for (std::size_t i = 0; i < x.size(); ++i) {
        result[o] += x[i] * static_cast<double>(weights[i]);
      }
    }
    return result;
  }
  // Rotates one head's numbers for a position.
  void rotate(double* head, std::size_t position) const {
    const act::runtime::rotary_options& options = model_.config.rotary.front();
    const std::size_t half = options.dims / 2;
    const bool halves = options.pairing == act::runtime::rotary_pairing::halves;
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(position) *
                           std::pow(static_cast<double>(options.theta),
                                    -static_cast<double>(2 * i) / static_cast<double>(options.dims));
      double& a = head[halves ? i : 2 * i];
      double& b = head[halves ? i + half : 2 * i + 1];
      const double x = a, y = b;
      a = x * std::cos(angle) - y * std::sin(angle);
      b = y * std::cos(angle) + x * std::sin(angle);
    }
  }

  // Which of the kept columns are sinks, by every raw row that saw them.
  std::set<std::size_t> sinks(const std::vector<row>& raw,
                              const std::vector<std::map<std::size_t, double>>& seen) const {
    std::set<std::size_t> found;
    for (std::size_t j = 0; j < kept_.size(); ++j) {
      if (kept_[j] == 0) continue;  // the initial token
      if (rule_.position_limit != 0 && kept_[j] >= rule_.position_limit) continue;
      double sum = 0;
      std::size_t rows = 0;
      for (std::size_t i = 0; i < raw.size(); ++i) {
        const auto weight = seen[i].find(kept_[j]);
        if (weight == seen[i].end()) continue;
        sum += weight->second;
        ++rows;
      }
      if (rows >= rule_.min_visible_rows && rows > 0 &&
          sum / static_cast<double>(rows) > rule_.alpha / static_cast<double>(kept_.size())) {
        found.insert(j);
      }
    }
    return found;
  }
  row calibrated(const row& weights, const std::set<std::size_t>& at) const {
    double on_sinks = 0, elsewhere = 0;
    for (std::size_t j = 0; j < weights.size(); ++j)
      (at.contains(j) ? on_sinks : elsewhere) += weights[j];
    row result = weights;
    if (on_sinks == 0 || elsewhere == 0) return result;
    for (std::size_t j = 0; j < weights.size(); ++j)
      result[j] *= at.contains(j) ? rule_.beta : 1 + (1 - rule_.beta) * on_sinks / elsewhere;
    return result;
  }

  void run_layer(std::size_t number, std::vector<row>& hidden, bool whole) {
    const act::runtime::model_config& config = model_.config;
    const act::runtime::decoder_layer& layer = model_.layers[number];
    const std::size_t size = config.head_size;
    std::vector<row>& keys = keys_[number];
    std::vector<row>& values = values_[number];
    const std::size_t first = keys.size();
    // Tokens are numbered through the whole text, whatever was evicted.
    if (number == 0) {
      for (std::size_t i = 0; i < hidden.size(); ++i)
        kept_.push_back(next_++);
    }
    const std::size_t window = config.attention_in(number).window;
    std::vector<row> queries;
    for (std::size_t i = 0; i < hidden.size(); ++i) {
      const row x = normed(layer.attention_norms.input, hidden[i]);
      queries.push_back(product(layer.query, x));
      const row both = product(layer.key_value, x);
      const auto middle = both.begin() + static_cast<std::ptrdiff_t>(config.kv_heads * size);
      keys.emplace_back(both.begin(), middle);
      values.emplace_back(middle, both.end());
      for (std::size_t h = 0; h < config.heads; ++h)
        rotate(queries.back().data() + h * size, first + i);
    }
    // Keys stand where they are kept.
    std::vector<row> turned = keys;
    for (std::size_t j = 0; j < turned.size(); ++j) {
      for (std::size_t h = 0; h < config.kv_heads; ++h)
        rotate(turned[j].data() + h * size, j);
    }

    std::vector<row> mixed(hidden.size(), row(config.heads * size, 0.0));
    for (std::size_t h = 0; h < config.heads; ++h) {
      const std::size_t column = h / (config.heads / config.kv_heads) * size;
      std::vector<row>& raw = raw_[{number, h}];
      std::vector<std::map<std::size_t, double>>& seen = seen_[{number, h}];
      const std::size_t first_row = raw.size();
      for (std::size_t i = 0; i < hidden.size(); ++i) {
        row weights(first + i + 1);
        double total = 0;
        const std::size_t hidden_by_window =
            window != 0 && weights.size() > window ? weights.size() - window : 0;
        for (std::size_t j = hidden_by_window; j < weights.size(); ++j) {
          double dot = 0;
          for (std::size_t d = 0; d < size; ++d)
            dot += queries[i][h * size + d] * turned[j][column + d];
          total += weights[j] = std::exp(dot / std::sqrt(static_cast<double>(size)));
        }
        for (double& each : weights)
          each /= total;
        raw.push_back(weights);
        std::map<std::size_t, double>& by_token = seen.emplace_back();
        for (std::size_t j = hidden_by_window; j < weights.size(); ++j)
          by_token[kept_[j]] = weights[j];
      }
      const bool chosen = heads_.contains({number, h});
      const std::set<std::size_t> at = chosen ? sinks(raw, seen) : std::set<std::size_t>{};
      found_sinks += whole ? 0 : at.size();
      for (std::size_t i = 0; i < hidden.size(); ++i) {
        const row weights = calibrated(raw[first_row + i], at);
        for (std::size_t j = 0; j < weights.size(); ++j) {
          for (std::size_t d = 0; d < size; ++d)
            mixed[i][h * size + d] += weights[j] * values[j][column + d];
        }
      }
    }

    for (std::size_t i = 0; i < hidden.size(); ++i) {
      const row attended = product(layer.attention_output, mixed[i]);
      for (std::size_t c = 0; c < hidden[i].size(); ++c)
        hidden[i][c] += attended[c];
      const row up = product(layer.mlp.up, normed(layer.feed_forward_norms.input, hidden[i]));
      row inner(up.size() / 2);
      for (std::size_t c = 0; c < inner.size(); ++c)
        inner[c] = up[c] / (1 + std::exp(-up[c])) * up[c + inner.size()];
      const row down = product(layer.mlp.down, inner);
      for (std::size_t c = 0; c < hidden[i].size(); ++c)
        hidden[i][c] += down[c];
    }
  }

  row logits(const row& hidden) const {
    const row last = normed(model_.final_norm, hidden);
    row result(model_.output.count(), 0.0);
    std::vector<float> word(model_.output.rows().columns());
    for (std::size_t token = 0; token < result.size(); ++token) {
      model_.output.rows().copy_row(token, word);
      for (std::size_t i = 0; i < last.size(); ++i)
        result[token] += last[i] * static_cast<double>(word[i]);
    }
    return result;
  }

  const act::runtime::model& model_;
  std::set<std::pair<std::size_t, std::size_t>> heads_;
  rule rule_;
  kept_tokens stay_;
  std::vector<std::size_t> kept_;                // tokens in the cache, by their number in the text
  std::size_t next_ = 0;                         // the next token's
  std::vector<std::vector<row>> keys_, values_;  // [layer][position]
  std::map<std::pair<std::size_t, std::size_t>, std::vector<row>> raw_;  // of each head: every row so far
  std::map<std::pair<std::size_t, std::size_t>, std::vector<std::map<std::size_t, double>>>
      seen_;  // by token

 public:
  std::size_t found_sinks = 0;  ///< while decoding: so that a test knows that something was calibrated
};

}  // namespace reference
