#include <act/error.hpp>
#include <act/inspection/reference_heads.hpp>
#include <act/runtime/model.hpp>
#include <act/statistics/linear_prediction.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace act::inspection {

namespace {

using statistics::stretch;

// One layer's key heads.
class layer_fit {
 public:
  layer_fit(const statistics::moments& sums, std::size_t heads, std::size_t size, double ridge)
      : sums_(sums), heads_(heads), size_(size), ridge_(ridge) {}

  [[nodiscard]] std::vector<std::size_t> choose(std::size_t count) const {
    std::vector<std::size_t> chosen;
    while (chosen.size() < count) {
      std::optional<std::pair<double, std::size_t>> best;
      for (std::size_t head = 0; head < heads_; ++head) {
        if (std::find(chosen.begin(), chosen.end(), head) != chosen.end()) continue;
        std::vector<std::size_t> tried = chosen;
        tried.push_back(head);
        const double share = explained_by(tried);
        if (!best || share > best->first) best = {share, head};
      }
      chosen.push_back(best->second);
    }
    std::sort(chosen.begin(), chosen.end());
    return chosen;
  }

  // The mean over the heads that aren't references; a head that never varies is explained.
  [[nodiscard]] double explained_by(const std::vector<std::size_t>& references) const {
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t head = 0; head < heads_; ++head) {
      if (std::find(references.begin(), references.end(), head) != references.end()) continue;
      const auto share = statistics::explained(fit(references, head), sums_);
      sum += share ? share->mean : 1;
      ++count;
    }
    return sum / static_cast<double>(count);
  }

  [[nodiscard]] runtime::layer_key_maps maps(const std::vector<std::size_t>& references) const {
    runtime::layer_key_maps made{.references = references, .of_head = {}};
    for (std::size_t head = 0; head < heads_; ++head) {
      runtime::matrix& map = made.of_head.emplace_back();
      if (std::find(references.begin(), references.end(), head) != references.end()) continue;
      const statistics::linear_map fitted = fit(references, head);
      const std::size_t inputs = references.size() * size_;
      map.resize(inputs + 1, size_);
      for (std::size_t input = 0; input < inputs; ++input) {
        for (std::size_t at = 0; at < size_; ++at)
          map(input, at) = static_cast<float>(fitted.weights[input * size_ + at]);
      }
      for (std::size_t at = 0; at < size_; ++at)
        map(inputs, at) = static_cast<float>(fitted.offset[at]);
    }
    return made;
  }

 private:
  [[nodiscard]] stretch of(std::size_t head) const noexcept {
    return {.first = head * size_, .count = size_};
  }
  [[nodiscard]] statistics::linear_map fit(const std::vector<std::size_t>& references,
                                           std::size_t head) const {
    std::vector<stretch> inputs;
    for (const std::size_t each : references)
      inputs.push_back(of(each));
    return statistics::fit_linear_map(sums_, inputs, of(head), ridge_);
  }

  const statistics::moments& sums_;
  std::size_t heads_, size_;
  double ridge_;
};

}  // namespace

std::size_t tokens_for_key_maps(const runtime::model_config& config, std::size_t count) noexcept {
  return count * config.head_size + 2;  // an offset too
}

fitted_key_maps fit_key_maps(const head_moments& keys, std::size_t count) {
  const runtime::model_config& config = keys.model().config;
  if (count == 0 || count >= config.kv_heads) {
    throw error(error_code::unsupported, "reference heads",
                "must be fewer than a layer's key heads, and of this model a layer has " +
                    std::to_string(config.kv_heads));
  }
  if (keys.at(0, 0, false).count() < tokens_for_key_maps(config, count))
    throw error(error_code::invalid_input, "text", "has too few tokens to fit maps of keys on");
  fitted_key_maps made;
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    const layer_fit fit(keys.at(0, layer, false), config.kv_heads, config.head_size, keys.options().ridge);
    const std::vector<std::size_t> references = fit.choose(count);
    made.maps.layers.push_back(fit.maps(references));
    made.explained += fit.explained_by(references) / static_cast<double>(config.layers);
  }
  return made;
}

}  // namespace act::inspection
