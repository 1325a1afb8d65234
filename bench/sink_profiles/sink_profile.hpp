// Where a benchmark's maps have their sinks: in `few`, three places in the first half of the prompt; in
// `real`, where record.py found those of a model on plain text. And how much a sink draws, so that it is one.
#pragma once

#include <act/options.hpp>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace act_bench {

enum class sink_profile { few, real };

/// Lengths that `real` was recorded at.
inline constexpr std::size_t recorded_lengths[] = {128, 512, 1024, 2048};

[[nodiscard]] inline bool is_recorded(std::size_t tokens) {
  for (const std::size_t each : recorded_lengths) {
    if (each == tokens) return true;
  }
  return false;
}

/// Positions of the sinks of each of `heads` heads of a prompt.
[[nodiscard]] inline std::vector<std::vector<std::size_t>> sink_positions(sink_profile profile,
                                                                          std::size_t tokens,
                                                                          std::size_t heads) {
  std::vector<std::vector<std::size_t>> found;
  if (profile == sink_profile::few) {
    std::mt19937 random(1);
    for (std::size_t head = 0; head < heads; ++head) {
      found.emplace_back();
      for (int s = 0; s < 3; ++s)
        found.back().push_back(1 + random() % (tokens / 2));
    }
    return found;
  }
  std::ifstream in(ACT_BENCH_SINK_PROFILE);
  for (std::string line; std::getline(in, line) && found.size() < heads;) {
    std::istringstream numbers(line);
    std::size_t length = 0, position = 0;
    if (!(numbers >> length) || length != tokens) continue;
    found.emplace_back();
    while (numbers >> position)
      found.back().push_back(position);
  }
  if (found.size() != heads) {
    throw std::runtime_error(std::string(ACT_BENCH_SINK_PROFILE) + ": has too few heads of " +
                             std::to_string(tokens) + " tokens; record it again (record.py)");
  }
  return found;
}

/// By which rule a profile's sinks are sinks: the paper's in `real`. In `few` it would find up to thirty of
/// the first keys of long prompts, too, whose scores are high because early rows have few keys to share
/// among.
[[nodiscard]] inline act::sink_options sink_rule_of(sink_profile profile) {
  if (profile == sink_profile::real) return {};
  return {.rule = act::sink_rule::absolute, .tau = 0.05};
}

/// What exp(score) is at each of `sinks` sinks when it is 1 elsewhere: a tenth of the attention in `few`, in
/// `real` just over the threshold of 5 / tokens.
[[nodiscard]] inline double sink_weight(sink_profile profile, std::size_t tokens, std::size_t sinks) {
  const double n = static_cast<double>(tokens), s = static_cast<double>(sinks);
  if (profile == sink_profile::few) return n / 10;
  const double share = std::min(5.5, 0.9 * n / std::max(s, 1.0)) / n;  // of each
  return share * (n - s) / (1 - s * share);
}

}  // namespace act_bench
