// The golden table of trials and what its rules make of it (tests/golden/selection/make_selection.py).
#pragma once

#include <act/io/text_file.hpp>
#include <act/search/selection/objective.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/search/trial_table.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace act_test {

inline const nlohmann::json& golden_selection() {
  static const nlohmann::json golden = nlohmann::json::parse(
      act::io::read_text_file(std::string(ACT_TEST_GOLDEN_DIR) + "/selection/selection.json").text);
  return golden;
}

/// The golden trials, with heads in the order of `places`, numbers of golden heads; empty: as they are.
inline act::search::trial_table golden_trials(std::vector<std::size_t> places = {}) {
  const nlohmann::json& golden = golden_selection();
  if (places.empty()) {
    for (std::size_t head = 0; head < golden.at("heads").size(); ++head)
      places.push_back(head);
  }
  std::vector<act::layer_head> heads;
  for (const std::size_t place : places)
    heads.push_back(
        {golden.at("heads")[place][0].get<std::size_t>(), golden.at("heads")[place][1].get<std::size_t>()});
  std::vector<act::search::table_sample> samples;
  for (const nlohmann::json& each : golden.at("samples"))
    samples.push_back({.label = each.at("label").get<std::size_t>(),
                       .scores = each.at("plain").size(),
                       .source = each.at("source").get<std::size_t>(),
                       .own_answers = each.at("own").get<bool>()});
  act::search::trial_table table(heads, samples);
  for (std::size_t sample = 0; sample < samples.size(); ++sample) {
    const nlohmann::json& each = golden.at("samples")[sample];
    table.set_plain(sample, each.at("plain").get<std::vector<double>>());
    for (std::size_t i = 0; i < places.size(); ++i)
      table.set_trial(i, sample, each.at("calibrated")[places[i]].get<std::vector<double>>(), true);
  }
  return table;
}

/// The same trials as those of half as many heads with two strengths each, 0.5 and 2: golden heads 2k and 2k
/// + 1 are one head's.
inline act::search::trial_table golden_trials_of_two_strengths() {
  const act::search::trial_table from = golden_trials();
  std::vector<act::layer_head> heads;
  std::vector<double> strengths;
  for (std::size_t place = 0; place < from.heads().size(); ++place) {
    heads.push_back({from.heads()[place].layer, from.heads()[place].head / 2});
    strengths.push_back(place % 2 == 0 ? 0.5 : 2);
  }
  act::search::trial_table table(heads, {from.samples().begin(), from.samples().end()}, strengths);
  for (std::size_t sample = 0; sample < from.samples().size(); ++sample) {
    table.set_plain(sample, from.plain(sample));
    for (std::size_t place = 0; place < heads.size(); ++place)
      table.set_trial(place, sample, from.calibrated(place, sample), true);
  }
  return table;
}

inline const nlohmann::json& golden_of(act::search::search_objective objective) {
  return golden_selection().at("objectives").at(std::string(act::search::name_of(objective)));
}

inline constexpr act::search::search_objective every_objective[] = {
    act::search::search_objective::accuracy, act::search::search_objective::likelihood,
    act::search::search_objective::centred, act::search::search_objective::mixed,
    act::search::search_objective::auc};

/// Changes as an objective sees them, over all samples.
inline act::search::score_changes seen_by(act::search::search_objective objective,
                                          const act::search::score_changes& changes) {
  return act::search::seen_by(objective, changes, all_samples(changes));
}

}  // namespace act_test
