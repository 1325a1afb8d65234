// Layers to search, what trials of a head say, and which heads that picks: layer_range.hpp, evidence.hpp,
// selection.hpp.
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

std::optional<layer_range> paper_layer_range(std::size_t layers) noexcept {
  if (layers < 4) return std::nullopt;
  return layer_range{.first = 2, .last = layers - 2};
}

layer_range parse_layer_range(std::string_view text, std::size_t layers, std::string_view asked_by) {
  const auto fail = [&](const std::string& why) {
    throw error(error_code::invalid_option, asked_by,
                "'" + std::string(text) + "' " + why + "; give FIRST:LAST, for example " +
                    std::string(paper_layer_range(layers) ? default_layer_range : "0:-1") +
                    ", for a model of " + std::to_string(layers) + (layers == 1 ? " layer" : " layers"));
  };
  const auto number = [&](std::string_view digits) {
    long long value = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (problem != std::errc{} || end != digits.data() + digits.size() || digits.empty())
      fail("isn't a range");
    const auto total = static_cast<long long>(layers);
    if (value < 0) value += total;
    if (value < 0 || value >= total) fail("names a layer that the model doesn't have");
    return static_cast<std::size_t>(value);
  };
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) fail("isn't a range");
  const layer_range range{number(text.substr(0, colon)), number(text.substr(colon + 1))};
  if (range.first > range.last) fail("ends before it begins");
  return range;
}

void add(head_evidence& evidence, const trial_outcome& outcome) {
  const bool before = statistics::predicted_label(outcome.plain) == outcome.label;
  const bool after = statistics::predicted_label(outcome.calibrated) == outcome.label;
  evidence.correct += after ? 1 : 0;
  evidence.gained += after && !before ? 1 : 0;
  evidence.lost += before && !after ? 1 : 0;
  evidence.with_sinks += outcome.has_sinks ? 1 : 0;
  if (outcome.has_sinks) {
    evidence.log_likelihood_gain += statistics::label_log_likelihood(outcome.calibrated, outcome.label) -
                                    statistics::label_log_likelihood(outcome.plain, outcome.label);
  }
}

void finish(head_evidence& evidence, std::size_t samples) {
  if (samples > 0) evidence.log_likelihood_gain /= static_cast<double>(samples);
}

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
