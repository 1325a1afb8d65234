// Observations of one prompt or of many added up: what each head does on average, and which tokens are sinks
// how often (the paper's Table 1).
#pragma once

#include <act/inspection/observation.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

namespace act::inspection {

/// One head over all prompts; means are per prompt.
struct head_summary {
  std::size_t prompts_with_sinks = 0;
  std::size_t first_over_threshold = 0;  ///< prompts on which the first token's score is over the threshold
  std::size_t sinks = 0;                 ///< all prompts' together
  double sink_mass = 0;                  ///< mean share of the attention on sinks
  double first_mass = 0;                 ///< mean share on the first token
};

/// How often a token is a sink, over all prompts, layers, heads and positions.
struct sink_token_count {
  runtime::token_id token = 0;
  std::size_t count = 0;
  std::size_t prompts = 0;  ///< those in which it is a sink of some head
};

/// A token as a sink of one head, averaged over its occurrences as such.
struct head_sink_token {
  std::size_t layer = 0;
  std::size_t head = 0;
  runtime::token_id token = 0;
  std::size_t count = 0;    ///< occurrences
  std::size_t prompts = 0;  ///< prompts with at least one
  double position = 0;      ///< means
  double score = 0;
  double mass = 0;
};

struct inspection_summary {
  std::size_t prompts = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t tokens = 0;  ///< all prompts' together
  std::size_t sinks = 0;
  std::size_t first_over_threshold = 0;           ///< (prompt, head) pairs
  std::vector<head_summary> per_head = {};        ///< [layer * heads + head]
  std::vector<sink_token_count> frequent = {};    ///< most frequent first
  std::vector<head_sink_token> head_tokens = {};  ///< by the share they hold over all prompts, largest first
  std::array<std::size_t, 10> tenths{};           ///< sinks by the tenth of the prompt that they stand in

  [[nodiscard]] const head_summary& at(std::size_t layer, std::size_t head) const noexcept {
    return per_head[layer * heads + head];
  }
};

/// Adds observations of one model up. Memory grows with the number of different (head, token) pairs, not with
/// the number of prompts.
class inspection_accumulator {
 public:
  /// Precondition: all observations have the same layers and heads.
  void add(const prompt_observation& prompt) {
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

  /// Precondition: something was added. Equal counts are in the order of ids, so that results are the same
  /// every time.
  [[nodiscard]] inspection_summary summary() const {
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

 private:
  struct counted {
    std::size_t count = 0, prompts = 0, last_prompt = 0;
    double position = 0, score = 0, mass = 0;

    void add(std::size_t prompt) {
      ++count;
      prompts += last_prompt == prompt ? 0 : 1;
      last_prompt = prompt;
    }
  };

  inspection_summary sum_;  // shares not yet divided
  std::map<runtime::token_id, counted> tokens_;
  std::map<std::pair<std::size_t, runtime::token_id>, counted> head_tokens_;
};

/// A position of one prompt over all heads.
struct sink_position {
  std::size_t position = 0;
  std::size_t heads = 0;  ///< heads that it is a sink of
  double score = 0;       ///< means over these heads
  double mass = 0;
};

/// Every position that is a sink of some head, that of most heads first.
[[nodiscard]] inline std::vector<sink_position> sink_positions(const prompt_observation& prompt) {
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

/// The summary of a single prompt.
[[nodiscard]] inline inspection_summary summarise(const prompt_observation& prompt) {
  inspection_accumulator accumulator;
  accumulator.add(prompt);
  return accumulator.summary();
}

}  // namespace act::inspection
