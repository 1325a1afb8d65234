#include <act/inspection/summary.hpp>

#include <algorithm>

namespace act::inspection {

void inspection_accumulator::add(const prompt_observation& prompt) {
  const std::size_t number = ++sum_.prompts;
  sum_.layers = prompt.layers;
  sum_.heads = prompt.heads;
  sum_.tokens += prompt.tokens.size();
  sum_.per_head.resize(prompt.found.size());
  for (std::size_t at = 0; at < prompt.found.size(); ++at) {
    const head_observation& head = prompt.found[at];
    head_summary& total = sum_.per_head[at];
    total.prompts_with_sinks += head.sinks.empty() ? 0 : 1;
    total.first_over_threshold += head.first_over_threshold ? 1 : 0;
    total.sinks += head.sinks.size();
    total.sink_mass += head.sink_mass;
    total.first_mass += head.first_mass;
    sum_.sinks += head.sinks.size();
    sum_.scores.add(head.scores);
    sum_.first_over_threshold += head.first_over_threshold ? 1 : 0;
    for (const observed_sink& sink : head.sinks) {
      const runtime::token_id token = prompt.tokens[sink.position];
      ++sum_.tenths[sink.position * 10 / prompt.tokens.size()];
      counted& all = tokens_[token];
      all.add(number);
      counted& here = head_tokens_[{at, token}];
      here.add(number);
      here.position += static_cast<double>(sink.position);
      here.score += sink.score;
      here.mass += sink.mass;
    }
  }
}

inspection_summary inspection_accumulator::summary() const {
  inspection_summary result = sum_;
  const auto prompts = static_cast<double>(sum_.prompts);
  for (head_summary& head : result.per_head) {
    head.sink_mass /= prompts;
    head.first_mass /= prompts;
  }
  for (const auto& [token, all] : tokens_)
    result.frequent.push_back({.token = token, .count = all.count, .prompts = all.prompts});
  std::stable_sort(result.frequent.begin(), result.frequent.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  for (const auto& [key, one] : head_tokens_) {
    const auto count = static_cast<double>(one.count);
    result.head_tokens.push_back({.layer = key.first / sum_.heads,
                                  .head = key.first % sum_.heads,
                                  .token = key.second,
                                  .count = one.count,
                                  .prompts = one.prompts,
                                  .position = one.position / count,
                                  .score = one.score / count,
                                  .mass = one.mass / count});
  }
  std::stable_sort(result.head_tokens.begin(), result.head_tokens.end(), [](const auto& a, const auto& b) {
    return a.mass * static_cast<double>(a.count) > b.mass * static_cast<double>(b.count);
  });
  return result;
}

std::vector<sink_position> sink_positions(const prompt_observation& prompt) {
  std::vector<sink_position> all(prompt.tokens.size());
  for (const head_observation& head : prompt.found) {
    for (const observed_sink& sink : head.sinks) {
      sink_position& one = all[sink.position];
      one.position = sink.position;
      ++one.heads;
      one.score += sink.score;
      one.mass += sink.mass;
    }
  }
  std::erase_if(all, [](const sink_position& one) { return one.heads == 0; });
  for (sink_position& one : all) {
    one.score /= static_cast<double>(one.heads);
    one.mass /= static_cast<double>(one.heads);
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.heads > b.heads; });
  return all;
}

inspection_summary summarise(const prompt_observation& prompt) {
  inspection_accumulator accumulator;
  accumulator.add(prompt);
  return accumulator.summary();
}

}  // namespace act::inspection
