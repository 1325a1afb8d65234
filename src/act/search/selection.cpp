#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/search/evidence.hpp>
#include <act/search/layer_range.hpp>
#include <act/search/selection.hpp>
#include <act/statistics/label_likelihood.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace act::search {

selection_rule parse_selection(std::string_view text, search_objective objective, std::string_view asked_by) {
  if (text == "paper") return {.top = 0, .objective = objective};
  selection_rule rule{.top = 0, .objective = objective};
  if (text.starts_with("top:")) {
    const std::string_view digits = text.substr(4);
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), rule.top);
    if (problem == std::errc{} && end == digits.data() + digits.size() && rule.top > 0) return rule;
  }
  throw error(error_code::invalid_option, asked_by,
              "'" + std::string(text) + "' isn't a rule; give paper, or top:K with K at least 1");
}

std::vector<head_evidence> select_heads(std::span<const head_evidence> evidence, const selection_rule& rule) {
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

head_set heads_of(std::span<const head_evidence> evidence) {
  head_set heads;
  for (const head_evidence& each : evidence)
    heads.insert(each.layer, each.head);
  return heads;
}

}  // namespace act::search
