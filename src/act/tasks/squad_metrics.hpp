// Exact match and F1 of generated answers, as the SQuAD 1.1 and 2.0 scripts define them, through PCRE2 for
// Unicode case and word boundaries. One difference from Python's: case is folded letter by letter, so a
// capital sigma at a word's end and the dotted capital I come out otherwise.
#pragma once

#include <act/tasks/sample.hpp>

#include <span>
#include <string>
#include <string_view>

namespace act::tasks {

/// The answer in a generated continuation: up to the first newline, trimmed.
[[nodiscard]] std::string generated_answer(std::string_view continuation);

/// Lower case, ASCII punctuation removed, the words a, an, the removed, white space collapsed.
[[nodiscard]] std::string normalized_answer(std::string_view answer);

struct squad_score {
  double exact_match = 0;  ///< 0 or 1
  double f1 = 0;           ///< 0 .. 1

  friend bool operator==(const squad_score&, const squad_score&) = default;
};

enum class squad_rules {
  v1,  ///< every question has answers
  v2,  ///< saying that there is none is an answer, and right where there is none
};

/// Of one prediction against one gold answer. Where both have no word left they match, and F1 is as the
/// version's official script has it: 0 in 1.1, 1 in 2.0.
[[nodiscard]] squad_score score_answer(std::string_view prediction, std::string_view gold, squad_rules rules);

/// v2 when any question of the file has no answer.
[[nodiscard]] squad_rules rules_of(std::span<const sample> samples);

/// The best over the gold answers, as the official scripts have it. v2: gold answers without a word left
/// aren't looked at; a prediction that normalises to "not in background" or to nothing says that there is no
/// answer; a question without answers scores 1 for that and 0 for anything else, one with answers 0 for it.
[[nodiscard]] squad_score score_prediction(std::string_view prediction, std::span<const std::string> gold,
                                           squad_rules rules);

}  // namespace act::tasks
