#include <act/error.hpp>
#include <act/search/selection/objective.hpp>
#include <act/search/selection/rule.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace act::search {

namespace {

struct named_method {
  selection_method method;
  std::string_view name;
};

constexpr std::array<named_method, 11> methods{{{selection_method::paper, "paper"},
                                                {selection_method::top, "top"},
                                                {selection_method::fdr, "fdr"},
                                                {selection_method::stable, "stable"},
                                                {selection_method::shared, "shared"},
                                                {selection_method::additive, "additive"},
                                                {selection_method::greedy, "greedy"},
                                                {selection_method::balanced, "balanced"},
                                                {selection_method::random, "random"},
                                                {selection_method::all, "all"},
                                                {selection_method::initial_mass, "initial-mass"}}};

// The whole text as a number.
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What stands behind the first colon; empty when there is none.
std::optional<std::string_view> behind_colon(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return text.substr(colon + 1);
}

// Takes "15" or "33%"; false when it is neither.
bool take_count(selection_rule& rule, std::string_view text) {
  if (text.ends_with('%')) {
    rule.share = number<double>(text.substr(0, text.size() - 1)).value_or(0) / 100;
    return rule.share > 0 && rule.share <= 1;
  }
  rule.count = number<std::size_t>(text).value_or(0);
  return rule.count > 0;
}

// Takes what is behind the method's name; false when that can't be.
bool take_argument(selection_rule& rule, std::optional<std::string_view> argument) {
  switch (rule.method) {
    case selection_method::paper:
    case selection_method::additive:
    case selection_method::all:
      return !argument;
    case selection_method::top:
    case selection_method::stable:
    case selection_method::shared:
    case selection_method::greedy:
    case selection_method::balanced:
      return !argument || take_count(rule, *argument);
    case selection_method::initial_mass:
      return argument && take_count(rule, *argument);
    case selection_method::fdr:
      if (argument) rule.false_share = number<double>(*argument).value_or(0);
      return rule.false_share > 0 && rule.false_share < 1;
    case selection_method::random:
      break;
  }
  if (!argument) return false;
  const std::optional<std::string_view> seed = behind_colon(*argument);
  const bool counted = take_count(rule, argument->substr(0, argument->find(':')));
  const std::optional<std::uint64_t> drawn_by = seed ? number<std::uint64_t>(*seed) : 0;
  rule.random_seed = drawn_by.value_or(0);
  return counted && drawn_by.has_value();
}

bool is_log_likelihood(search_objective objective) {
  return objective == search_objective::likelihood || objective == search_objective::centred ||
         objective == search_objective::mixed;
}

void check_objective(std::string_view text, const selection_rule& rule, std::string_view asked_by) {
  const auto refuse = [&](const std::string& why) {
    throw error(error_code::invalid_option, asked_by, "'" + std::string(text) + "' " + why);
  };
  if (rule.method == selection_method::balanced && !is_log_likelihood(rule.objective)) {
    refuse("adds up log-likelihoods, so its objective is likelihood, centred or mixed; with " +
           std::string(name_of(rule.objective)) + " take top:K or greedy:K");
  }
  const bool looks_at_labels =
      rule.method == selection_method::paper || rule.method == selection_method::additive;
  if (rule.objective == search_objective::entropy && looks_at_labels)
    refuse("looks at the right answers, and entropy is for searches without labels; take top:K");
}

}  // namespace

std::size_t selection_rule::count_among(std::size_t heads) const noexcept {
  if (count > 0 || share <= 0) return count;
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share * static_cast<double>(heads))));
}

std::string_view default_selection(search_objective objective, bool on_their_own) {
  return is_log_likelihood(objective) && !on_their_own ? "balanced:33%" : "top:33%";
}

selection_rule parse_selection(std::string_view text, search_objective objective, std::string_view asked_by) {
  selection_rule rule{.objective = objective};
  const std::string_view name = text.substr(0, text.find(':'));
  for (const named_method& each : methods) {
    if (each.name != name) continue;
    rule.method = each.method;
    if (!take_argument(rule, behind_colon(text))) break;
    check_objective(text, rule, asked_by);
    return rule;
  }
  throw error(error_code::invalid_option, asked_by,
              "'" + std::string(text) + "' isn't a rule; give " + std::string(selection_rules) +
                  ", with K at least 1 or up to 100% (without it, K is chosen by cross-validation) and Q "
                  "between 0 and 1");
}

}  // namespace act::search
