// A small inspection made by hand: two layers of two heads, a prompt of five tokens, two of them hostile.
#pragma once

#include <act/inspection/observation.hpp>
#include <act/inspection/summary.hpp>

#include <vector>

#include "report/listed_tokenizer.hpp"

namespace act_test {

inline listed_tokenizer hostile_tokenizer() {
  return listed_tokenizer({"once", " the", "\n", "</script><img src=x onerror=alert(1)>", "\x1b[2J\"'&"});
}

/// Head (0, 1) has the sinks 1 and 4, head (1, 0) the sinks 2 and 3; the first token holds 0.5 of each.
inline act::inspection::prompt_observation example_prompt() {
  act::inspection::prompt_observation prompt{.layers = 2, .heads = 2, .tokens = {0, 1, 2, 3, 4}, .found = {}};
  prompt.found.resize(4);
  prompt.found[1].sinks = {{1, 0.25, 0.2}, {4, 0.5, 0.1}};
  prompt.found[2].sinks = {{2, 0.375, 0.225}, {3, 0.75, 0.3}};
  for (act::inspection::head_observation& head : prompt.found) {
    head.first_mass = 0.5;
    head.first_over_threshold = &head != &prompt.found[0];
    for (const act::inspection::observed_sink& sink : head.sinks)
      head.sink_mass += sink.mass;
    // Rows that look at the first token and at themselves.
    act::inspection::map_picture picture(5, 5);
    std::vector<float> weights(25, 0.0F);
    for (std::size_t i = 0; i < 5; ++i) {
      weights[i * 5] += 0.5F;
      weights[i * 5 + i] += 0.5F;
    }
    picture.add(act::attention_view<float>::packed(weights.data(), 1, 1, 5, 5));
    prompt.pictures.push_back(picture);
    // Calibration leaves the diagonal with half of that, the rest goes to the first token.
    act::inspection::map_picture after(5, 5);
    for (std::size_t i = 1; i < 5; ++i) {
      weights[i * 5] = 0.75F;
      weights[i * 5 + i] = 0.25F;
    }
    after.add(act::attention_view<float>::packed(weights.data(), 1, 1, 5, 5));
    prompt.calibrated.push_back(after);
    prompt.received.push_back({0.6, 0.1, 0.1, 0.1, 0.1});
  }
  return prompt;
}

}  // namespace act_test
