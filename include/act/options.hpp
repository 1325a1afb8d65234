// Which columns of a map are changed, and how: plain aggregates with the paper's values as defaults, sinks
// that keep beta. Scaling the initial token, or a span, and renormalising is what others do (docs/rivals.md).
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
  /// to the row's other keys, or from them: columns go times `factor`, then the whole row by what gives it
  /// its mass back. With S the columns' share of that mass, columns get factor / (1 + (factor - 1) S) of
  /// their weight, other keys 1 / (1 + (factor - 1) S): as ln(factor) added to the columns' scores
  renormalised,
};

/// Which columns of a map are changed.
enum class column_choice {
  sinks,          ///< the keys whose column score is over the threshold (paper)
  initial_token,  ///< the sequence's first key that isn't padding, in every row that sees it
  span,           ///< the keys of calibration_options::span
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
  /// Keys at this position and behind it are never sinks: with a prompt's length generated tokens aren't. A
  /// tracker's slots move down, and so does this, as slots before it leave the cache. 0: no limit (paper)
  std::size_t position_limit = 0;

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
  column_choice columns = column_choice::sinks;   ///< which keys are changed; others than sinks need
                                                  ///< proportional or renormalised redistribution
  std::span<const std::size_t> span = {};  ///< column_choice::span's key positions, ascending; not owned
  double factor = 1;  ///< redistribution::renormalised's; 0, or 1e-6 .. 1e6; 1 changes nothing
  /// A strength for each head of the map: instead of beta, with redistribution::renormalised instead of
  /// factor. Empty: the same for all heads. Not owned.
  std::span<const double> strengths = {};

  /// The options of one head: beta or factor as `strengths` says, which are then empty.
  /// @param head a head of the map; less than the number of strengths, where there are some
  /// @return options that say the same of this head
  [[nodiscard]] constexpr calibration_options of_head(std::size_t head) const noexcept {
    calibration_options of = *this;
    of.strengths = {};
    if (!strengths.empty())
      (redistribute == redistribution::renormalised ? of.factor : of.beta) = strengths[head];
    return of;
  }

  /// The member that is wrong, if any, or the one that contradicts another.
  /// @return false when nothing is wrong
  [[nodiscard]] constexpr problem validate() const noexcept {
    if (const problem found = sinks.validate()) return found;
    if (!is_beta(beta)) {
      return {"beta", "must be between 0 and 1 (the paper's is 0.4)"};
    }
    if (redistribute < redistribution::proportional || redistribute > redistribution::renormalised) {
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
    if (const problem found = validate_columns()) return found;
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
    if (behave_as == compatibility::authors && sinks.position_limit != 0) {
      return {"sinks.position_limit", "must be 0 with compatibility::authors: their code has no such limit"};
    }
    if (behave_as == compatibility::authors && columns != column_choice::sinks) {
      return {"columns", "must be sinks with compatibility::authors: their code has no other"};
    }
    return {};
  }

 private:
  [[nodiscard]] static constexpr bool is_beta(double value) noexcept { return value >= 0 && value <= 1; }
  [[nodiscard]] static constexpr bool is_factor(double value) noexcept {
    return value == 0 || (value >= 1e-6 && value <= 1e6);
  }

  [[nodiscard]] constexpr problem validate_columns() const noexcept {
    const bool renormalises = redistribute == redistribution::renormalised;
    if (columns < column_choice::sinks || columns > column_choice::span) {
      return {"columns", "isn't a choice of columns act knows"};
    }
    if (columns != column_choice::sinks && redistribute != redistribution::proportional && !renormalises) {
      return {"columns", "must be sinks with this redistribution: proportional and renormalised know others"};
    }
    if (columns == column_choice::span && span.empty()) {
      return {"span", "needs the positions of the keys that are changed, with column_choice::span"};
    }
    if (columns != column_choice::span && !span.empty()) {
      return {"span", "is for column_choice::span only: leave it empty, or ask for that"};
    }
    for (std::size_t k = 1; k < span.size(); ++k) {
      if (span[k] <= span[k - 1]) return {"span", "must ascend strictly"};
    }
    if (!is_factor(factor)) return {"factor", "must be 0, or between 1e-6 and 1e6"};
    if (factor != 1 && !renormalises) {
      return {"factor", "is for renormalised redistribution only: leave it 1, or ask for that"};
    }
    if (!strengths.empty() && redistribute == redistribution::temperature) {
      return {"strengths", "have no meaning with redistribution::temperature: leave them empty"};
    }
    for (const double each : strengths) {
      if (!(renormalises ? is_factor(each) : is_beta(each))) {
        return {"strengths",
                "must be betas, 0 .. 1, or with redistribution::renormalised factors, 0 or 1e-6 .. 1e6"};
      }
    }
    return {};
  }
};

}  // namespace act::inline ACT_ABI
