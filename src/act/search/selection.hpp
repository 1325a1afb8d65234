// From evidence to a set of heads: the paper's rule, or the best K by accuracy or likelihood.
#pragma once

#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/search/evidence.hpp>
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <span>
#include <string>
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

/// Reads "paper" or "top:K". Throws `error` (invalid_option).
[[nodiscard]] inline selection_rule parse_selection(std::string_view text, search_objective objective) {
  if (text == "paper") return {.top = 0, .objective = objective};
  selection_rule rule{.top = 0, .objective = objective};
  if (text.starts_with("top:")) {
    const std::string_view digits = text.substr(4);
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), rule.top);
    if (problem == std::errc{} && end == digits.data() + digits.size() && rule.top > 0) return rule;
  }
  throw error(error_code::invalid_option, "--select",
              "'" + std::string(text) + "' isn't a rule; give paper, or top:K with K at least 1");
}

/// The heads the rule picks, best first. Heads that don't improve the objective are never picked, so the
/// result may be shorter than K or empty. Order and result don't depend on the order of `evidence`.
[[nodiscard]] inline std::vector<head_evidence> select_heads(std::span<const head_evidence> evidence,
                                                             const selection_rule& rule) {
  const bool by_accuracy = rule.objective == search_objective::accuracy;
  std::vector<head_evidence> picked;
  for (const head_evidence& each : evidence) {
    const bool helps = rule.top == 0 || by_accuracy ? each.net() > 0 : each.log_likelihood_gain > 0;
    if (helps) picked.push_back(each);
  }
  std::sort(picked.begin(), picked.end(), [&](const head_evidence& a, const head_evidence& b) {
    if (by_accuracy && a.net() != b.net()) return a.net() > b.net();
    if (a.log_likelihood_gain != b.log_likelihood_gain) return a.log_likelihood_gain > b.log_likelihood_gain;
    return layer_head{a.layer, a.head} < layer_head{b.layer, b.head};
  });
  if (rule.top > 0 && picked.size() > rule.top) picked.resize(rule.top);
  return picked;
}

[[nodiscard]] inline head_set heads_of(std::span<const head_evidence> evidence) {
  head_set heads;
  for (const head_evidence& each : evidence)
    heads.insert(each.layer, each.head);
  return heads;
}

}  // namespace act::search
