// Guide: "I only accept a bias". An engine whose attention takes an additive mask and nothing else.
#include <act/column_scores.hpp>
#include <act/logit_bias.hpp>
#include <act/sinks.hpp>

#include "engine.hpp"

namespace {

// [guide]
// Fills what is added to one head's scores before the softmax, [query, key], from that head's plain weights:
// of a pass before, or of a model whose sinks you know to be the same.
void bias_of_head(const float* weights, std::size_t tokens, float* bias) {
  const auto map = act::attention_view<float>::packed(weights, 1, 1, tokens, tokens);
  std::vector<double> scores(tokens);
  act::column_scores(map, 0, 0, std::span(scores));
  const std::vector<act::sink> sinks = act::find_sinks(scores, map.visible, 0, tokens);
  for (std::size_t i = 0; i < tokens; ++i) {
    const float* const row = map.row(0, 0, i);
    double on_sinks = 0, elsewhere = 0;  // sum both: 1 - on_sinks would cancel where sinks hold nearly all
    auto next = sinks.begin();
    for (std::size_t j = 0; j <= i; ++j) {
      const bool is_sink = next != sinks.end() && next->position == j;
      (is_sink ? on_sinks : elsewhere) += static_cast<double>(row[j]);
      if (is_sink) ++next;
    }
    const act::row_bias add = act::logit_bias(on_sinks, elsewhere);
    for (auto s = sinks.begin(); s != next; ++s)
      bias[i * tokens + s->position] += static_cast<float>(add.sinks);
  }
}
// [/guide]

}  // namespace

int main() {
  const engine::layer_inputs x = engine::example_inputs();
  const std::vector<float> map = engine::attention_map(x);
  std::vector<float> bias(map.size(), 0.0F);
  constexpr std::size_t one = engine::tokens * engine::tokens;
  for (const std::size_t head : {1UL, 3UL})
    bias_of_head(map.data() + head * one, engine::tokens, bias.data() + head * one);
  return engine::compare("by a bias", engine::attention(x, bias), engine::calibrated_by_map(x, {1, 3}));
}
