// What trials run, counted another way: sinks by the paper's rule on the plain pass's maps, and the rows that
// two texts have in common by their tokens and sinks alone.
#pragma once

#include <act/runtime/attention_maps.hpp>
#include <act/runtime/forward.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace act_test {

/// Ascending sinks of each text's heads in one layer, [text * heads + head]; `buffers` is what the layer
/// left.
inline std::vector<std::vector<std::size_t>> plain_sinks(const act::runtime::model_config& config,
                                                         std::size_t layer,
                                                         const act::runtime::packed_prompts& packed,
                                                         const act::runtime::layer_buffers& buffers,
                                                         double alpha) {
  const act::runtime::attention_shape shape = act::runtime::attention_shape_of(config, layer);
  const auto keys = buffers.key_value.columns(0, config.kv_heads * config.head_size);
  act::runtime::map_rows_memory memory;
  std::vector<std::vector<std::size_t>> sinks;
  for (const act::runtime::attention_sequence& sequence : packed.sequences) {
    const std::size_t tokens = sequence.queries;
    for (std::size_t head = 0; head < config.heads; ++head) {
      std::vector<double> sums(tokens);
      for (std::size_t row = 0; row < tokens; ++row) {
        const auto map = act::runtime::map_rows(shape, sequence, buffers.query, keys, head, row, memory);
        for (std::size_t key = 0; key <= row; ++key)
          sums[key] += static_cast<double>(map.row(0, 0, 0)[key]);
      }
      std::vector<std::size_t>& found = sinks.emplace_back();
      for (std::size_t key = 1; key < tokens; ++key) {
        if (sums[key] / static_cast<double>(tokens - key) > alpha / static_cast<double>(tokens))
          found.push_back(key);
      }
    }
  }
  return sinks;
}

/// A text in which a head has sinks, before `end`.
struct changed_text {
  std::vector<act::runtime::token_id> tokens;
  std::vector<std::size_t> sinks;
  std::size_t end = 0, first_scored = 0;

  [[nodiscard]] std::size_t rows() const { return end - sinks.front(); }

  [[nodiscard]] bool same_tokens(const changed_text& other, std::size_t row) const {
    return row < std::min(tokens.size(), other.tokens.size()) &&
           std::equal(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(row) + 1,
                      other.tokens.begin());
  }

  [[nodiscard]] bool same_sinks(const changed_text& other, std::size_t row) const {
    const auto seen = [&](const std::vector<std::size_t>& all) {
      return std::span(all.begin(), std::upper_bound(all.begin(), all.end(), row));
    };
    const auto mine = seen(sinks), its = seen(other.sinks);
    return std::equal(mine.begin(), mine.end(), its.begin(), its.end());
  }

  /// Whether there is a row that isn't shared only because a sink is different.
  [[nodiscard]] bool differs_by_sinks_alone(const changed_text& other) const {
    std::size_t row = 0;
    while (row < std::min(end, other.end) && same_tokens(other, row) && same_sinks(other, row))
      ++row;
    return row < std::min(end, other.end) && same_tokens(other, row);
  }

  /// How many rows one of `before` can run for this text: those with its tokens and its sinks, and neither
  /// the last seven nor those that count.
  [[nodiscard]] std::size_t most_shared(std::span<const changed_text> before) const {
    std::size_t most = 0;
    for (const changed_text& other : before) {
      if (other.sinks.front() != sinks.front() || other.rows() <= 6) continue;
      std::size_t shared = 0;
      for (std::size_t row = sinks.front(); row < other.end && row + 7 < end && row < first_scored &&
                                            same_tokens(other, row) && same_sinks(other, row);
           ++row)
        ++shared;
      most = std::max(most, shared);
    }
    return most;
  }
};

}  // namespace act_test
