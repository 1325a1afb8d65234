// The engine that the guide's examples live in: one attention layer in plain loops, on made-up inputs in
// which token 11 is a sink for heads 1 and 3. Not part of act, and nothing to copy: it stands for what a real
// engine has already.
#pragma once

#include <act/calibrate.hpp>
#include <act/head_tensor.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <random>
#include <span>
#include <vector>

namespace engine {

inline constexpr std::size_t heads = 4, tokens = 48, head_size = 16, sink_token = 11;

/// Queries, keys and values, [head, token, channel].
struct layer_inputs {
  std::vector<float> q, k, v;
};

inline layer_inputs example_inputs() {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  layer_inputs x;
  for (std::vector<float>* each : {&x.q, &x.k, &x.v}) {
    each->resize(heads * tokens * head_size);
    for (float& number : *each)
      number = 0.7F * normal(random);
  }
  for (std::size_t h = 0; h < heads; ++h) {  // a channel that every query carries, and one key answers to
    for (std::size_t i = 0; i < tokens; ++i) {
      x.q[(h * tokens + i) * head_size] = 1;
      x.k[(h * tokens + i) * head_size] = i == sink_token && h % 2 == 1 ? 12.0F : 0.0F;
    }
  }
  return x;
}

inline act::head_tensor<float> tensor(std::vector<float>& numbers) {
  return act::head_tensor<float>::packed(numbers.data(), 1, heads, tokens, head_size);
}

/// The scaled scores of one query with the keys up to its own.
inline std::vector<float> scores(const layer_inputs& x, std::size_t head, std::size_t query) {
  std::vector<float> row(query + 1, 0.0F);
  for (std::size_t j = 0; j <= query; ++j) {
    for (std::size_t c = 0; c < head_size; ++c) {
      row[j] +=
          x.q[(head * tokens + query) * head_size + c] * x.k[(head * tokens + j) * head_size + c] / 4.0F;
    }
  }
  return row;
}

/// Makes weights of scores; returns the logarithm of the denominator.
inline float softmax(std::span<float> row) {
  const float largest = *std::max_element(row.begin(), row.end());
  float sum = 0;
  for (float& each : row)
    sum += each = std::exp(each - largest);
  for (float& each : row)
    each /= sum;
  return largest + std::log(sum);
}

/// One row of weights times the values.
inline void mix(std::span<const float> row, const layer_inputs& x, std::size_t head, float* out) {
  std::fill_n(out, head_size, 0.0F);
  for (std::size_t j = 0; j < row.size(); ++j) {
    for (std::size_t c = 0; c < head_size; ++c)
      out[c] += row[j] * x.v[(head * tokens + j) * head_size + c];
  }
}

/// A layer's outputs, from scores that `bias` [head, query, key] is added to, where there is one.
inline std::vector<float> attention(const layer_inputs& x, std::span<const float> bias = {},
                                    std::span<float> log_sum_exp = {}, std::span<float> map = {}) {
  std::vector<float> out(heads * tokens * head_size);
  for (std::size_t h = 0; h < heads; ++h) {
    for (std::size_t i = 0; i < tokens; ++i) {
      const std::size_t at = h * tokens + i;
      std::vector<float> row = scores(x, h, i);
      for (std::size_t j = 0; j <= i && !bias.empty(); ++j)
        row[j] += bias[at * tokens + j];
      const float lse = softmax(row);
      if (!log_sum_exp.empty()) log_sum_exp[at] = lse;
      if (!map.empty())
        std::copy(row.begin(), row.end(), map.begin() + static_cast<std::ptrdiff_t>(at * tokens));
      mix(row, x, h, out.data() + at * head_size);
    }
  }
  return out;
}

/// Every head's map, [head, query, key]; zero where masked.
inline std::vector<float> attention_map(const layer_inputs& x) {
  std::vector<float> map(heads * tokens * tokens, 0.0F);
  attention(x, {}, {}, map);
  return map;
}

inline std::vector<float> times_values(const std::vector<float>& map, const layer_inputs& x) {
  std::vector<float> out(heads * tokens * head_size);
  for (std::size_t row = 0; row < heads * tokens; ++row) {
    mix({map.data() + row * tokens, row % tokens + 1}, x, row / tokens, out.data() + row * head_size);
  }
  return out;
}

/// What every form of calibration should give: the layer's outputs by the whole map.
inline std::vector<float> calibrated_by_map(const layer_inputs& x, const act::layer_heads& chosen) {
  std::vector<float> map = attention_map(x);
  act::calibrate(act::attention_span<float>::packed(map.data(), 1, heads, tokens, tokens), chosen);
  return times_values(map, x);
}

/// Says how far `got` is from `expected`; the program's exit status.
inline int compare(const char* what, std::span<const float> got, std::span<const float> expected,
                   float bound = 1e-5F) {
  float worst = 0;
  for (std::size_t k = 0; k < expected.size(); ++k)
    worst = std::max(worst, std::abs(got[k] - expected[k]));
  std::printf("%s: largest difference %.1e\n", what, double(worst));
  return got.size() == expected.size() && worst <= bound ? 0 : 1;
}

}  // namespace engine
