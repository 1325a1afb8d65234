// What calibrating each head alone would change of a sample's scores, to first order: attribution patching.
//
// A score's gradient with regard to a head's output, times what calibration makes of that output, is the
// score's change but for what bends on the way up (Nanda, "Attribution patching", 2023; Syed, Rager and
// Conmy, arXiv:2310.10348). One pass backwards for each score says it of every head of every layer, where an
// exact trial is a pass for each head.
#pragma once

#include <act/runtime/forward.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/model.hpp>
#include <act/search/layer_range.hpp>
#include <act/search/scored_texts.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace act::search {

/// What a plain pass leaves behind of a layer of the range.
struct attributed_layer {
  const runtime::matrix& input;                   ///< [rows, hidden]
  const runtime::matrix& attention;               ///< [rows, heads head_size]
  std::span<const runtime::matrix> alternatives;  ///< of each strength, like `attention`
};

/// Estimated changes of scores.
class head_attributions {
 public:
  /// Rows of gradients that go backwards together: tall enough for full-speed products, small enough to stay
  /// in the last-level cache.
  static constexpr std::size_t rows_of_a_group = 1024;

  /// `layers`: those of the range, in order, of one plain pass over `texts` as `packed`. Memory while it
  /// works: a layer's weights in float32, of every token and score a layer's input, and some thousand rows of
  /// a layer's activations. Cost: a pass over the layers from the range's first one on, and one more for each
  /// score of a text: as many as there are words. A result doesn't depend on the number of threads.
  /// `on_layer` is called each time some texts have gone through a layer, and may throw to interrupt. Throws
  /// `error` (invalid_input) where a gradient isn't finite, though scores are.
  head_attributions(const runtime::model& model, const scored_texts& texts,
                    const runtime::packed_prompts& packed, layer_range range,
                    std::span<const attributed_layer> layers, const std::function<void()>& on_layer = {});

  /// What score `score` (scored_texts::scores_of) of a text would change by.
  [[nodiscard]] double change(std::size_t layer, std::size_t strength, std::size_t head, std::size_t text,
                              std::size_t score) const noexcept {
    return changes_[place(layer, strength, head, text, score)];
  }

 private:
  void check_finite(const scored_texts& texts) const;
  [[nodiscard]] std::size_t place(std::size_t layer, std::size_t strength, std::size_t head, std::size_t text,
                                  std::size_t score) const noexcept {
    return (((layer - range_.first) * strengths_ + strength) * heads_ + head) * scores_ + first_[text] +
           score;
  }

  layer_range range_;
  std::size_t heads_, strengths_, scores_ = 0;
  std::vector<std::size_t> first_;  // of each text's scores
  std::vector<double> changes_;     // [layer][strength][head][score of a text]
};

/// The rows through a layer that going backwards takes for a text: its own and one for each score of each.
[[nodiscard]] std::uint64_t attribution_rows(const scored_texts& texts, std::size_t text) noexcept;

}  // namespace act::search
