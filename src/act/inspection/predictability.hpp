// How well a head's vectors are a linear map of a few other heads' (Shaikh et al. 2026): its queries, keys
// and values, of the same layer or of lower ones.
//
// A text goes by once, window by window; nothing of a token is kept but its part in sums of products
// (statistics/moments.hpp). From these, maps onto any set of heads are fitted afterwards, in closed form, on
// the first windows, and what they explain is told on the last ones, which they haven't seen.
#pragma once

#include <act/head_set.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/statistics/moments.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace act::runtime {
struct model;
struct model_config;
}  // namespace act::runtime

namespace act::inspection {

/// Which of a head's vectors. Queries are the query heads', `heads` a layer; the others are the key and value
/// heads', `kv_heads` a layer: with grouped queries several query heads share one.
enum class head_vectors {
  queries,       ///< before positions
  keys,          ///< before positions: what a cache can keep that turns them later
  rotated_keys,  ///< turned by their positions: what attention reads
  values
};

/// "queries", "keys", "rotated keys", "values".
[[nodiscard]] std::string_view name_of(head_vectors which) noexcept;

/// Every kind that a model has: without rotary positions no rotated keys.
[[nodiscard]] std::vector<head_vectors> vectors_of(const runtime::model_config& config);

struct predictability_options {
  std::vector<head_vectors> of = {};  ///< empty: vectors_of
  std::size_t references = 5;         ///< at most so many heads predict one
  std::size_t lower_layers = 0;       ///< references may lie so many layers below, too
  std::size_t left_out = 0;           ///< tokens at each window's beginning that don't count
  double ridge = 1e-6;                ///< `ridge` of statistics::fit_linear_map
};

/// The sums of products that a text leaves behind.
class head_moments {
 public:
  /// The model must outlive it. Throws `error` (invalid_option) for an option that can't be.
  head_moments(const runtime::model& model, predictability_options options);

  /// What all of it takes: for each layer and kind of vectors twice `statistics::moments::bytes` of the
  /// width of all heads that are looked at together, those of the lower layers too.
  [[nodiscard]] static std::uint64_t bytes(const runtime::model_config& config,
                                           const predictability_options& options);

  /// Runs windows, each a text of its own, packed into one batch, and adds their tokens: to what maps are
  /// fitted on, or to what is held out. Throws `error` (invalid_input) as `pack`, and where a vector isn't
  /// finite. Cost: a plain pass, its queries, keys and values once more, and the sums.
  void add(std::span<const std::vector<runtime::token_id>> windows, bool held_out);

  [[nodiscard]] const runtime::model& model() const noexcept { return *model_; }
  [[nodiscard]] const predictability_options& options() const noexcept { return options_; }
  /// Of kind number `kind` of options().of and `layer`: the heads of layers first_layer(layer) .. layer side
  /// by side. Number 0 of the two is what maps are fitted on, number 1 held out.
  [[nodiscard]] const statistics::moments& at(std::size_t kind, std::size_t layer, bool held_out) const {
    return sums_[(kind * layers_ + layer) * 2 + (held_out ? 1 : 0)];
  }
  [[nodiscard]] std::size_t first_layer(std::size_t layer) const noexcept {
    return layer - (layer < options_.lower_layers ? layer : options_.lower_layers);
  }

 private:
  const runtime::model* model_;
  predictability_options options_;
  std::size_t layers_;
  std::vector<statistics::moments> sums_;
};

/// R^2 of one head with 1, 2 ... references; means over its vector's numbers unless it says otherwise.
struct head_prediction {
  std::vector<layer_head> references = {};  ///< in the order in which they were taken
  std::vector<double> held_out = {};        ///< of the first k + 1 references, on the held-out windows
  std::vector<double> pooled = {};          ///< the same, squared errors of all numbers together
  std::vector<double> fitted = {};          ///< on the windows that the map was fitted on
};

/// All heads of one kind of vectors.
struct kind_prediction {
  head_vectors of = head_vectors::queries;
  std::size_t layers = 0;
  std::size_t heads = 0;  ///< of a layer
  std::size_t head_size = 0;
  std::vector<head_prediction> found = {};  ///< [layer * heads + head]; without references where it has no
                                            ///< peers, or its numbers never vary

  [[nodiscard]] const head_prediction& at(std::size_t layer, std::size_t head) const noexcept {
    return found[layer * heads + head];
  }
  /// The mean of `held_out[references - 1]` over the layer's heads that have so many; nothing if none has.
  [[nodiscard]] std::optional<double> mean(std::size_t layer, std::size_t references) const;
  /// The same over all layers' heads, of any of the three lists.
  [[nodiscard]] std::optional<double> mean(std::size_t references,
                                           std::vector<double> head_prediction::*list) const;
};

struct predictability {
  std::size_t fitted_tokens = 0;
  std::size_t held_out_tokens = 0;
  std::vector<kind_prediction> kinds = {};
};

/// Chooses each head's references by R^2 on the fitted windows (statistics::choose_predictors) among the
/// other heads of its layer and all of the lower ones, and tells what the maps explain. `after_layer` is
/// called after each layer of each kind and may throw to interrupt. Throws `error` (invalid_input) unless
/// both parts have tokens.
[[nodiscard]] predictability predict_heads(const head_moments& of,
                                           const std::function<void()>& after_layer = {});

/// How many of `windows` windows are held out: a fifth, at least one; the last ones.
[[nodiscard]] constexpr std::size_t held_out_windows(std::size_t windows) noexcept {
  return (windows + 4) / 5;
}

}  // namespace act::inspection
