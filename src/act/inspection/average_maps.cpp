#include <act/inspection/average_maps.hpp>
#include <act/inspection/observation.hpp>
#include <act/sinks.hpp>

#include <algorithm>

namespace act::inspection {

namespace {

averaged_map divided(std::size_t side, const std::vector<double>& sums, std::size_t count) {
  averaged_map mean{.side = side, .shares = std::vector<float>(sums.size())};
  std::transform(sums.begin(), sums.end(), mean.shares.begin(),
                 [&](double sum) { return static_cast<float>(sum / static_cast<double>(count)); });
  return mean;
}

void add_cells(std::vector<double>& sums, std::span<const float> cells) {
  sums.resize(cells.size(), 0.0);
  for (std::size_t i = 0; i < cells.size(); ++i)
    sums[i] += static_cast<double>(cells[i]);
}

// Adds each layer's mean over heads.
void add_layers(std::vector<std::vector<double>>& sums, const std::vector<map_picture>& pictures,
                std::size_t heads) {
  sums.resize(pictures.size() / heads);
  for (std::size_t layer = 0; layer < sums.size(); ++layer)
    add_cells(sums[layer], mean_of(std::span(pictures).subspan(layer * heads, heads)).shares);
}

std::vector<averaged_map> all_divided(std::size_t side, const std::vector<std::vector<double>>& sums,
                                      std::size_t count) {
  std::vector<averaged_map> maps;
  for (const std::vector<double>& each : sums)
    maps.push_back(divided(side, each, count));
  return maps;
}

}  // namespace

averaged_map mean_of(std::span<const map_picture> pictures) {
  if (pictures.empty()) return {};
  std::vector<double> sums;
  for (const map_picture& picture : pictures)
    add_cells(sums, picture.shares());
  return divided(pictures.front().side(), sums, pictures.size());
}

averaged_map mean_of(std::span<const averaged_map> maps) {
  if (maps.empty()) return {};
  std::vector<double> sums;
  for (const averaged_map& map : maps)
    add_cells(sums, map.shares);
  return divided(maps.front().side, sums, maps.size());
}

void average_maps::add(const prompt_observation& prompt) {
  ++prompts_;
  side_ = prompt.pictures.front().side();
  add_layers(before_, prompt.pictures, prompt.heads);
  if (!prompt.calibrated.empty()) add_layers(after_, prompt.calibrated, prompt.heads);
}

std::vector<averaged_map> average_maps::before() const {
  return all_divided(side_, before_, prompts_);
}

std::vector<averaged_map> average_maps::after() const {
  return all_divided(side_, after_, prompts_);
}

average_maps averages_of(const prompt_observation& prompt) {
  average_maps averages;
  averages.add(prompt);
  return averages;
}

std::vector<std::size_t> sinks_of_average(const prompt_observation& prompt, const sink_options& options) {
  const std::size_t tokens = prompt.tokens.size();
  std::vector<double> scores(tokens, 0.0);
  for (const std::vector<double>& head : prompt.received) {
    for (std::size_t key = 0; key < tokens; ++key)
      scores[key] += head[key];
  }
  const auto heads = static_cast<double>(prompt.received.size());
  for (std::size_t key = 0; key < tokens; ++key)
    scores[key] *= static_cast<double>(tokens) / static_cast<double>(tokens - key) / heads;
  std::vector<std::size_t> positions;
  for (const sink& found : find_sinks(scores, {}, 0, tokens, options))
    positions.push_back(found.position);
  return positions;
}

}  // namespace act::inspection
