#include <act/search/plan.hpp>
#include <act/search/ranked_search.hpp>
#include <act/search/search_run.hpp>
#include <act/search/strategy.hpp>
#include <act/search/trial_block.hpp>
#include <act/search/trial_table.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace act::search {

namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(values.size(), 1));
}

// A head's gain over all samples: `exact` of the first ones, `estimated` of all.
double expected_gain(std::span<const double> exact, std::span<const double> estimated) {
  const double all = mean_of(estimated);
  if (exact.empty()) return all;
  const std::span<const double> screened = estimated.first(exact.size());
  const double exact_mean = mean_of(exact), estimated_mean = mean_of(screened);
  double both = 0, exact_square = 0, estimated_square = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double x = screened[i] - estimated_mean, y = exact[i] - exact_mean;
    both += x * y;
    exact_square += y * y;
    estimated_square += x * x;
  }
  if (!(both > 0)) return exact_mean;
  // The slope of exact gains on estimated ones, less the weaker they go together.
  const double slope = std::min(both / estimated_square, 2.0);
  const double correlation = both / std::sqrt(exact_square * estimated_square);
  return exact_mean + slope * correlation * (all - estimated_mean);
}

// How many chunks all heads are run on.
std::size_t screened_chunks(std::span<const sample_chunk> chunks, std::size_t samples, double budget) {
  const double most = std::min(0.15, budget / 2) * static_cast<double>(samples);
  std::size_t count = 0;
  // To the nearest chunk.
  while (count < chunks.size() && static_cast<double>(chunks[count].begin + chunks[count].end) / 2 <= most)
    ++count;
  return count;
}

}  // namespace

void run_ranked_search(search_run& run, const ranked_options& options) {
  const std::vector<sample_chunk> chunks = run.plan().chunks();
  const std::size_t samples = run.plan().samples.size();
  const std::size_t heads = run.trials().heads().size();
  std::vector<std::size_t> everyone(heads);
  std::iota(everyone.begin(), everyone.end(), std::size_t{0});
  const auto add_trials = [&](std::vector<trial_block>& to, const sample_chunk& chunk,
                              std::span<const std::size_t> of) {
    const std::vector<trial_block> more = blocks_of(run, chunk, of);
    to.insert(to.end(), more.begin(), more.end());
  };

  const std::size_t screen = screened_chunks(chunks, samples, options.budget);
  std::vector<trial_block> blocks;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    blocks.push_back({.kind = block_kind::plain, .chunk = chunks[i]});
    std::vector<trial_block> trials = blocks_of(run, chunks[i], everyone);
    for (trial_block& each : trials)
      each.kind = block_kind::estimates;
    blocks.insert(blocks.end(), trials.begin(), trials.end());
    if (i < screen) add_trials(blocks, chunks[i], everyone);
  }
  run.run(blocks);

  const trial_table& estimates = run.estimates();
  const std::size_t screened = screen == 0 ? 0 : chunks[screen - 1].end;
  const std::vector<double> estimated = options.gains(estimates);
  const std::vector<double> exact =
      screened == 0 ? std::vector<double>{} : options.gains(part_of(run.trials(), everyone, screened));
  std::vector<double> expected(heads), cost(heads);
  for (std::size_t head = 0; head < heads; ++head) {
    expected[head] = expected_gain(std::span(exact).subspan(head * screened, screened),
                                   std::span(estimated).subspan(head * samples, samples));
    cost[head] = cost_of(run, estimates, head);
  }
  std::vector<std::size_t> order = everyone;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return expected[a] > expected[b]; });

  const double unseen = 1 - static_cast<double>(screened) / static_cast<double>(samples);
  const double whole = std::accumulate(cost.begin(), cost.end(), 0.0);
  double left = (options.budget - (1 - unseen)) * whole + 1e-9 * whole;  // sums round
  std::vector<bool> chosen(heads);
  for (const std::size_t head : order) {
    if (cost[head] * unseen > left) break;
    left -= cost[head] * unseen;
    chosen[head] = true;
  }
  std::vector<std::size_t> verified;
  for (std::size_t head = 0; head < heads; ++head) {
    if (chosen[head]) {
      verified.push_back(head);
    } else {
      run.spare(estimates.heads()[head].layer, samples - screened);
    }
  }
  blocks.clear();
  for (std::size_t i = screen; i < chunks.size(); ++i)
    add_trials(blocks, chunks[i], verified);
  run.run(blocks);
}

}  // namespace act::search
