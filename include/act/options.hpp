// What is a sink and what happens to it: plain aggregates with the paper's values as defaults.
// For every caller of the core. Not which heads: that is head_set.hpp.
#pragma once

#include <act/error.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <span>

namespace act::inline ACT_ABI {

/// When the column score of key j makes it a sink (the initial token never is one).
enum class sink_rule {
  relative,  ///< score > alpha / N, N the visible keys of the sequence (paper, section 3)
  absolute,  ///< score > tau (the authors' scripts)
  /// score > alpha times what uniform attention would give the key, (H_N - H_j) / (N - j) for a whole prompt:
  /// the relative rule without its false sinks among the first keys, whose few rows have few keys to share
  /// among
  baseline_corrected,
};

/// Where the mass taken from sinks goes.
enum class redistribution {
  proportional,  ///< to the row's other keys, in proportion to what they have (paper, section 4)
  uniform,       ///< to the row's other keys, the same to each (ablation)
  subset,  ///< to the keys of `subset` that aren't sinks, in proportion (ablation: question, or choices only)
  inverse,      ///< the other way: other keys keep beta, sinks get what they lost, in proportion (ablation)
  temperature,  ///< no sinks: all keys but the initial one go as weight^(1 / theta), their mass unchanged
                ///< (ablation)
};

/// Whose behaviour to reproduce where the paper and the authors' published code differ.
enum class compatibility {
  none,     ///< the paper, with every row's mass preserved
  authors,  ///< the authors' code: the first index over the threshold is spared whichever it is, A[0, 0]
            ///< becomes 1, a row whose mass is all on sinks becomes NaN. Whole prompts, or one row of
            ///< decoding; no padding
};

/// Which columns of a map are sinks.
struct sink_options {
  sink_rule rule = sink_rule::relative;  ///< what a score is compared with
  double alpha = 5;  ///< factor over the uniform score (relative, baseline_corrected); > 0 (paper: 5)
  double tau = 0.1;  ///< absolute rule's threshold on the mean weight; 0 .. 1 (scripts: 0.1, 0.15)
  std::size_t min_visible_rows = 1;  ///< columns seen by fewer rows are never sinks; >= 1 (paper: 1)

  /// The member that is wrong, if any.
  /// @return false when nothing is wrong
  [[nodiscard]] constexpr problem validate() const noexcept {
    if (rule < sink_rule::relative || rule > sink_rule::baseline_corrected) {
      return {"sinks.rule", "isn't a rule act knows"};
    }
    if (!(alpha > 0 && alpha <= 1e300))
      return {"sinks.alpha", "must be a finite number over 0 (the paper's is 5)"};
    if (!(tau >= 0 && tau <= 1)) return {"sinks.tau", "must be between 0 and 1 (the authors' is 0.1)"};
    if (min_visible_rows == 0) return {"sinks.min_visible_rows", "must be at least 1 (the paper's is 1)"};
    return {};
  }
};

/// Everything calibrate() can be told; the defaults are the paper's.
struct calibration_options {
  sink_options sinks = {};  ///< which keys are sinks
  double beta = 0.4;        ///< what a sink keeps of its weight, the paper's beta; 0 .. 1, 1 changes nothing
  redistribution redistribute = redistribution::proportional;  ///< where the mass taken from sinks goes
  double theta = 1.1;  ///< redistribution::temperature's; > 0, over 1 flattens (paper: 1.1, 1 / 1.1)
  std::span<const std::size_t> subset = {};  ///< redistribution::subset's key positions, ascending; not owned
  compatibility behave_as = compatibility::none;  ///< the paper, or its authors' code

  /// The member that is wrong, if any, or the one that contradicts another.
  /// @return false when nothing is wrong
  [[nodiscard]] constexpr problem validate() const noexcept {
    if (const problem found = sinks.validate()) return found;
    if (!(beta >= 0 && beta <= 1)) return {"beta", "must be between 0 and 1 (the paper's is 0.4)"};
    if (redistribute < redistribution::proportional || redistribute > redistribution::temperature) {
      return {"redistribute", "isn't a redistribution act knows"};
    }
    if (!(theta > 0 && theta <= 1e6))
      return {"theta", "must be a number over 0 (the paper's are 1.1 and 1 / 1.1)"};
    if (redistribute == redistribution::subset && subset.empty()) {
      return {"subset", "needs the positions of the keys that receive, with redistribution::subset"};
    }
    if (redistribute != redistribution::subset && !subset.empty()) {
      return {"subset", "is for redistribution::subset only: leave it empty, or ask for that"};
    }
    for (std::size_t k = 1; k < subset.size(); ++k) {
      if (subset[k] <= subset[k - 1]) return {"subset", "must ascend strictly"};
    }
    if (behave_as != compatibility::none && behave_as != compatibility::authors) {
      return {"behave_as", "isn't a behaviour act knows"};
    }
    if (behave_as == compatibility::authors && redistribute != redistribution::proportional) {
      return {"redistribute", "must be proportional with compatibility::authors: their code has no other"};
    }
    if (behave_as == compatibility::authors && sinks.rule == sink_rule::baseline_corrected) {
      return {"sinks.rule",
              "can't be baseline_corrected with compatibility::authors: their code has no such rule"};
    }
    if (behave_as == compatibility::authors && sinks.min_visible_rows != 1) {
      return {"sinks.min_visible_rows",
              "must be 1 with compatibility::authors: their code has no such limit"};
    }
    return {};
  }
};

}  // namespace act::inline ACT_ABI
