// Heads that make answers more certain, without labels: ZeroTuning's unsupervised choice.
#include <doctest/doctest.h>
#include <act/search/evidence.hpp>
#include <act/search/selection/objective.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/select_heads.hpp>
#include <act/search/trial_table.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace {

// Four samples of three answers, and heads that multiply their scores: by 2, 0.5, 1 and 3.
act::search::trial_table sharpened(std::size_t shifted_label) {
  const std::vector<double> factors{2, 0.5, 1, 3};
  act::search::trial_table table({{0, 0}, {0, 1}, {1, 0}, {1, 1}}, {{(0 + shifted_label) % 3, 3, 0},
                                                                    {(1 + shifted_label) % 3, 3, 0},
                                                                    {(2 + shifted_label) % 3, 3, 0},
                                                                    {(0 + shifted_label) % 3, 3, 0}});
  for (std::size_t sample = 0; sample < 4; ++sample) {
    std::vector<double> row{0.3, -0.2 * static_cast<double>(sample), 0.5};
    table.set_plain(sample, row);
    for (std::size_t head = 0; head < 4; ++head) {
      std::vector<double> scaled = row;
      for (double& each : scaled)
        each *= factors[head];
      table.set_trial(head, sample, scaled, true);
    }
  }
  return table;
}

std::vector<act::layer_head> picked(const act::search::trial_table& table) {
  const auto rule = act::search::parse_selection("top:3", act::search::search_objective::entropy);
  std::vector<act::layer_head> heads;
  for (const act::search::head_evidence& each : act::search::select_heads(table, rule).heads)
    heads.push_back({each.layer, each.head});
  return heads;
}

}  // namespace

TEST_CASE("a sample's number is the entropy of its answers' probabilities, times -1") {
  const act::search::trial_table table = sharpened(0);
  const act::search::score_changes changes(table);
  const std::vector<std::size_t> over{0, 2};
  const std::vector<double> values =
      sample_values(act::search::search_objective::entropy, changes, changes.plain(), over);
  for (std::size_t at = 0; at < over.size(); ++at) {
    double sum = 0, entropy = 0;
    for (const double score : table.plain(over[at]))
      sum += std::exp(score);
    for (const double score : table.plain(over[at])) {
      const double p = std::exp(score) / sum;
      entropy -= p * std::log(p);
    }
    CHECK(values[at] == doctest::Approx(-entropy));
  }
  CHECK(act::search::find_objective("entropy") == act::search::search_objective::entropy);
  CHECK(act::search::name_of(act::search::search_objective::entropy) == "entropy");
}

TEST_CASE("heads that sharpen are picked, the sharpest first, whatever the labels are") {
  const std::vector<act::layer_head> expected{{1, 1},
                                              {0, 0}};  // neither the one that flattens nor the idle one
  for (const std::size_t shifted : {0UL, 1UL, 2UL})
    CHECK(picked(sharpened(shifted)) == expected);
}
