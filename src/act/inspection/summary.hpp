// Observations of one prompt or of many added up: what each head does on average, and which tokens are sinks
// how often (the paper's Table 1).
#pragma once

#include <act/inspection/observation.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

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
  score_histogram scores = {};                    ///< of every prompt, head and token
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
  void add(const prompt_observation& prompt);

  /// Precondition: something was added. Equal counts are in the order of ids, so that results are the same
  /// every time.
  [[nodiscard]] inspection_summary summary() const;

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
[[nodiscard]] std::vector<sink_position> sink_positions(const prompt_observation& prompt);

/// The summary of a single prompt.
[[nodiscard]] inspection_summary summarise(const prompt_observation& prompt);

}  // namespace act::inspection
