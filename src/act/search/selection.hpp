// From evidence to a set of heads: the paper's rule, or the best K by accuracy or likelihood.
#pragma once

#include <act/head_set.hpp>
#include <act/search/evidence.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace act::search {

enum class search_objective {
  accuracy,    ///< net samples gained; likelihood breaks ties
  likelihood,  ///< gain in the right label's log-probability: moves long before an answer flips
};

/// `top` = 0 is the paper's rule: every head that beats the plain accuracy (section 4, head filtering).
struct selection_rule {
  std::size_t top = 0;
  search_objective objective = search_objective::accuracy;
};

/// Reads "paper" or "top:K". Throws `error` (invalid_option) whose where() is `asked_by`.
[[nodiscard]] selection_rule parse_selection(std::string_view text, search_objective objective,
                                             std::string_view asked_by = "selection rule");

/// The heads the rule picks, best first. Heads that don't improve the objective are never picked, so the
/// result may be shorter than K or empty. Order and result don't depend on the order of `evidence`.
[[nodiscard]] std::vector<head_evidence> select_heads(std::span<const head_evidence> evidence,
                                                      const selection_rule& rule);

[[nodiscard]] head_set heads_of(std::span<const head_evidence> evidence);

}  // namespace act::search
