// Attention maps averaged over heads, layers and prompts (the paper's Figures 1, 4, 6, 7, 8): pictures of one
// size added up, as they are and as calibration leaves them.
#pragma once

#include <act/options.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace act::inspection {

class map_picture;
struct prompt_observation;

/// `side` x `side` shares, [row][column]; those above the diagonal are 0. Cells are map_picture's.
struct averaged_map {
  std::size_t side = 0;
  std::vector<float> shares = {};

  [[nodiscard]] float share(std::size_t row, std::size_t column) const noexcept {
    return shares[row * side + column];
  }
};

/// Pictures, all of one side, added up. Empty without any.
[[nodiscard]] averaged_map mean_of(std::span<const map_picture> pictures);
/// The same of means that count alike.
[[nodiscard]] averaged_map mean_of(std::span<const averaged_map> maps);

/// Each layer's map, averaged over its heads and over prompts that count alike. Prompts of different length
/// meet by what part of them a token stands at: a cell is the same part of each.
class average_maps {
 public:
  /// Preconditions: of one model, with pictures, all of one side (a prompt shorter than observe_options::
  /// picture_side has smaller ones); calibrated pictures in all or in none.
  void add(const prompt_observation& prompt);

  /// [layer]; empty before something was added.
  [[nodiscard]] std::vector<averaged_map> before() const;
  /// As calibration leaves them; empty unless the observations had that.
  [[nodiscard]] std::vector<averaged_map> after() const;
  [[nodiscard]] std::size_t prompts() const noexcept { return prompts_; }

 private:
  std::size_t prompts_ = 0;
  std::vector<std::vector<double>> before_, after_;  // sums over prompts, [layer][cell]
  std::size_t side_ = 0;
};

/// One prompt's.
[[nodiscard]] average_maps averages_of(const prompt_observation& prompt);

/// The sinks of a prompt's map averaged over all heads and layers, which the paper's Figure 1 marks:
/// positions, ascending. Precondition: pictures were asked for. Rows are taken to see everything before them;
/// under a layer's sliding window a score is the smaller.
[[nodiscard]] std::vector<std::size_t> sinks_of_average(const prompt_observation& prompt,
                                                        const sink_options& options = {});

}  // namespace act::inspection
