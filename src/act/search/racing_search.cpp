#include <act/head_set.hpp>
#include <act/search/plan.hpp>
#include <act/search/racing_search.hpp>
#include <act/search/search_run.hpp>
#include <act/search/strategy.hpp>
#include <act/search/trial_block.hpp>
#include <act/search/trial_table.hpp>
#include <act/statistics/label_likelihood.hpp>
#include <act/statistics/sequential_tests.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <map>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

namespace {

constexpr std::size_t first_look = 20;  // samples; before, deviations are hardly known

struct gain_seen {
  double mean = 0, deviation = 0;
};

// Of each head over its row of gains. A head that hasn't moved yet may move: one more value's squared
// deviation is taken from all heads together.
std::vector<gain_seen> gains_seen(std::span<const double> gains, std::size_t heads, std::size_t samples) {
  std::vector<gain_seen> seen(heads);
  std::vector<double> squares(heads);
  for (std::size_t head = 0; head < heads; ++head) {
    const std::span<const double> row = gains.subspan(head * samples, samples);
    seen[head].mean = std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(samples);
    for (const double gain : row)
      squares[head] += (gain - seen[head].mean) * (gain - seen[head].mean);
  }
  const double together = std::accumulate(squares.begin(), squares.end(), 0.0) /
                          static_cast<double>(std::max<std::size_t>(heads * samples, 1));
  for (std::size_t head = 0; head < heads; ++head)
    seen[head].deviation = std::sqrt((squares[head] + together) / static_cast<double>(samples - 1));
  return seen;
}

// Which of the heads stay, by their gains.
std::vector<bool> stay_by_gains(const search_run& run, std::span<const std::size_t> racing,
                                std::size_t samples, const racing_options& options) {
  const std::size_t population = run.plan().samples.size();
  const std::vector<gain_seen> seen =
      gains_seen(options.gains(part_of(run.trials(), racing, samples)), racing.size(), samples);
  const double risk = options.places == 0 ? options.risk : options.risk / 2;
  std::vector<double> lower;
  for (const gain_seen& each : seen)
    lower.push_back(each.mean - statistics::mean_radius(each.deviation, samples, population, risk));
  // A head takes one place, whichever of its strengths gets it.
  std::map<layer_head, double> best;
  for (std::size_t i = 0; i < racing.size(); ++i) {
    double& of_head = best.try_emplace(run.trials().heads()[racing[i]], lower[i]).first->second;
    of_head = std::max(of_head, lower[i]);
  }
  lower.clear();
  for (const auto& [head, bound] : best)
    lower.push_back(bound);
  double to_beat = 0;
  if (options.places > 0 && options.places < lower.size()) {
    const auto last = lower.begin() + static_cast<std::ptrdiff_t>(options.places - 1);
    std::nth_element(lower.begin(), last, lower.end(), std::greater<>());
    to_beat = std::max(to_beat, *last);
  }
  std::vector<bool> stay;
  for (const gain_seen& each : seen) {
    const double upper = each.mean + statistics::mean_radius(each.deviation, samples, population, risk);
    stay.push_back(upper > to_beat || (to_beat > 0 && upper == to_beat));
  }
  return stay;
}

std::vector<bool> stay_by_answers(const search_run& run, std::span<const std::size_t> racing,
                                  std::size_t samples, double risk) {
  const trial_table& table = run.trials();
  std::vector<bool> stay;
  for (const std::size_t head : racing) {
    statistics::flips_seen flips;
    for (std::size_t sample = 0; sample < table.samples().size(); ++sample) {
      const std::size_t label = table.samples()[sample].label;
      const bool before = statistics::predicted_label(table.plain(sample)) == label;
      (before ? flips.all_right : flips.all_wrong) += 1;
      if (sample >= samples) continue;
      const bool after = statistics::predicted_label(table.calibrated(head, sample)) == label;
      (before ? flips.right : flips.wrong) += 1;
      flips.gained += after && !before ? 1 : 0;
      flips.lost += before && !after ? 1 : 0;
    }
    stay.push_back(!statistics::rules_out_net_gain(flips, risk));
  }
  return stay;
}

}  // namespace

void run_racing_search(search_run& run, const racing_options& options) {
  const std::vector<sample_chunk> chunks = run.plan().chunks();
  const std::size_t samples = run.plan().samples.size();
  std::vector<trial_block> plain;
  for (const sample_chunk& chunk : chunks)
    plain.push_back({.kind = block_kind::plain, .chunk = chunk});
  run.run(plain);

  std::vector<std::size_t> racing(run.trials().heads().size());
  std::iota(racing.begin(), racing.end(), std::size_t{0});
  for (const sample_chunk& chunk : chunks) {
    run.run(blocks_of(run, chunk, racing));
    if (chunk.end < first_look || chunk.end == samples) continue;
    const std::vector<bool> stay = options.by_answers ? stay_by_answers(run, racing, chunk.end, options.risk)
                                                      : stay_by_gains(run, racing, chunk.end, options);
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < racing.size(); ++i) {
      if (stay[i]) {
        left.push_back(racing[i]);
      } else {
        run.spare(run.trials().heads()[racing[i]].layer, samples - chunk.end);
      }
    }
    racing = std::move(left);
  }
}

}  // namespace act::search
