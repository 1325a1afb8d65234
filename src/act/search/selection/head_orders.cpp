#include <act/head_set.hpp>
#include <act/parallel.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/search/selection/head_orders.hpp>
#include <act/search/selection/objective.hpp>
#include <act/search/selection/score_changes.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

namespace {

// Scores are float32's: a mean gain below this is the rounding of a head that changes nothing.
constexpr double least_gain = 1e-5;

// Heads whose `worth` is a gain, by it, then by `tie`. Worths closer than 1e-12 are the same: sums of
// equally many flips in another order differ in their last bits.
head_order ordered(std::span<const double> worth, std::span<const double> tie) {
  const auto rounded = [](double value) { return std::round(value * 1e12) / 1e12; };
  head_order order;
  for (std::size_t head = 0; head < worth.size(); ++head) {
    if (worth[head] >= least_gain) order.push_back(head);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (rounded(worth[a]) != rounded(worth[b])) return rounded(worth[a]) > rounded(worth[b]);
    if (rounded(tie[a]) != rounded(tie[b])) return rounded(tie[a]) > rounded(tie[b]);
    return a < b;
  });
  return order;
}

std::vector<head_gain> all_gains(const score_changes& of, search_objective objective,
                                 std::span<const std::size_t> over) {
  const std::vector<double> gains = sample_gains(objective, of, over);
  std::vector<head_gain> summed;
  for (std::size_t head = 0; head < of.heads().size(); ++head)
    summed.push_back(gain_of(of, std::span(gains).subspan(head * over.size(), over.size()), over));
  return summed;
}

// Positions in `over`, source by source.
std::vector<std::vector<std::size_t>> positions_by_source(const score_changes& of,
                                                          std::span<const std::size_t> over) {
  std::vector<std::vector<std::size_t>> positions;
  for (std::size_t at = 0; at < over.size(); ++at) {
    const std::size_t source = of.samples()[over[at]].source;
    if (positions.size() <= source) positions.resize(source + 1);
    positions[source].push_back(at);
  }
  std::erase_if(positions, [](const auto& each) { return each.empty(); });
  return positions;
}

}  // namespace

head_order with_one_strength(const score_changes& of, const head_order& order) {
  std::set<layer_head> taken;
  head_order first;
  for (const std::size_t head : order) {
    if (taken.insert(of.heads()[head]).second) first.push_back(head);
  }
  return first;
}

head_order by_gain(const score_changes& of, search_objective objective, std::span<const std::size_t> over) {
  std::vector<double> worth, tie(of.heads().size());
  for (const head_gain& each : all_gains(of, objective, over))
    worth.push_back(each.mean);
  if (objective == search_objective::accuracy) {
    const std::vector<head_gain> likelihood = all_gains(of, search_objective::likelihood, over);
    std::transform(likelihood.begin(), likelihood.end(), tie.begin(),
                   [](const head_gain& each) { return each.mean; });
  }
  return ordered(worth, tie);
}

head_order by_net_gain(const score_changes& of, std::span<const std::size_t> over) {
  const std::vector<double> flips = sample_gains(search_objective::accuracy, of, over),
                            gains = sample_gains(search_objective::likelihood, of, over);
  std::vector<double> net, likelihood;
  for (std::size_t head = 0; head < of.heads().size(); ++head) {
    const auto sum = [&](const std::vector<double>& from) {
      const auto first = from.begin() + static_cast<std::ptrdiff_t>(head * over.size());
      return std::accumulate(first, first + static_cast<std::ptrdiff_t>(over.size()), 0.0);
    };
    net.push_back(sum(flips));
    likelihood.push_back(sum(gains));
  }
  return ordered(net, likelihood);
}

head_order by_studentised_gain(const score_changes& of, search_objective objective,
                               std::span<const std::size_t> over) {
  std::vector<double> worth, tie;
  for (const head_gain& each : all_gains(of, objective, over)) {
    worth.push_back(each.t());
    tie.push_back(each.mean);
  }
  return ordered(worth, tie);
}

head_order by_shared_gain(const score_changes& of, search_objective objective,
                          std::span<const std::size_t> over) {
  const std::size_t heads = of.heads().size();
  const std::vector<double> gains = sample_gains(objective, of, over);
  std::vector<std::vector<source_gain>> seen;
  for (std::size_t head = 0; head < heads; ++head)
    seen.push_back(gains_by_source(of, std::span(gains).subspan(head * over.size(), over.size()), over));
  const std::size_t sources = seen.empty() ? 0 : seen.front().size();
  if (sources == 0) return {};
  for (std::size_t source = 0; source < sources; ++source) {
    double square = 0;
    for (const std::vector<source_gain>& each : seen)
      square += each[source].mean * each[source].mean / static_cast<double>(heads);
    if (square <= 0) continue;
    for (std::vector<source_gain>& each : seen) {
      each[source].mean /= std::sqrt(square);
      each[source].variance /= square;
    }
  }

  // How gains of one head differ between sources, beyond their errors.
  const auto count = static_cast<double>(sources);
  double tau = 0;
  std::vector<double> mean(heads), error(heads);
  for (std::size_t head = 0; head < heads; ++head) {
    double sum = 0, squares = 0, errors = 0;
    for (const source_gain& each : seen[head]) {
      sum += each.mean;
      errors += each.variance;
    }
    for (const source_gain& each : seen[head])
      squares += (each.mean - sum / count) * (each.mean - sum / count);
    if (sources > 1) tau += (squares / (count - 1) - errors / count) / static_cast<double>(heads);
  }
  tau = std::max(tau, 0.0);
  // A head's gain over sources, each as sure as it is.
  for (std::size_t head = 0; head < heads; ++head) {
    double weights = 0, sum = 0;
    bool certain = false;
    for (const source_gain& each : seen[head]) {
      certain = certain || each.variance + tau <= 0;
      weights += certain ? 0 : 1 / (each.variance + tau);
      sum += each.mean / count;
    }
    mean[head] = sum;
    if (certain) continue;
    mean[head] = 0;
    for (const source_gain& each : seen[head])
      mean[head] += each.mean / (each.variance + tau) / weights;
    error[head] = 1 / weights;
  }
  const double centre = std::accumulate(mean.begin(), mean.end(), 0.0) / static_cast<double>(heads);
  double omega = 0;
  for (std::size_t head = 0; head < heads; ++head)
    omega += (mean[head] - centre) * (mean[head] - centre) / std::max(1.0, static_cast<double>(heads) - 1) -
             error[head] / static_cast<double>(heads);
  omega = std::max(omega, 0.0);
  std::vector<double> worth(heads);
  for (std::size_t head = 0; head < heads; ++head) {
    const double kept = omega + error[head] > 0 ? omega / (omega + error[head]) : 1;
    worth[head] = centre + kept * (mean[head] - centre);
  }
  return ordered(worth, mean);
}

head_order by_initial_mass(const score_changes& of, std::span<const std::size_t> over) {
  const std::vector<double> weights = balanced_weights(of, over);
  std::vector<double> mass(of.heads().size());
  for (std::size_t head = 0; head < mass.size(); ++head) {
    for (std::size_t at = 0; at < over.size(); ++at)
      mass[head] += weights[at] * of.initial_mass(head, over[at]);
  }
  head_order order(mass.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return mass[a] > mass[b]; });
  return order;
}

std::vector<std::vector<std::size_t>> resampled_places(const score_changes& of, search_objective objective,
                                                       std::span<const std::size_t> over,
                                                       std::size_t resamples, std::uint64_t seed) {
  const std::size_t heads = of.heads().size(), n = over.size();
  const std::vector<double> gains = sample_gains(objective, of, over);
  const std::vector<std::vector<std::size_t>> sources = positions_by_source(of, over);
  const auto source_count = static_cast<double>(sources.size());
  std::vector<std::vector<std::size_t>> places;
  std::vector<double> mean(heads), variance(heads);
  std::vector<std::size_t> drawn;
  runtime::splitmix64 draw(seed);
  for (std::size_t resample = 0; resample < resamples; ++resample) {
    std::fill(mean.begin(), mean.end(), 0.0);
    std::fill(variance.begin(), variance.end(), 0.0);
    for (const std::vector<std::size_t>& source : sources) {
      drawn.clear();
      for (std::size_t i = 0; i < source.size(); ++i)
        drawn.push_back(source[static_cast<std::size_t>(draw() % source.size())]);
      const auto count = static_cast<double>(drawn.size());
      for (std::size_t head = 0; head < heads; ++head) {
        const std::span<const double> own = std::span(gains).subspan(head * n, n);
        double sum = 0, squares = 0;
        for (const std::size_t at : drawn) {
          sum += own[at];
          squares += own[at] * own[at];
        }
        mean[head] += sum / count / source_count;
        variance[head] += std::max(0.0, squares - sum * sum / count) /
                          (count * std::max(1.0, count - 1) * source_count * source_count);
      }
    }
    for (std::size_t head = 0; head < heads; ++head) {
      const head_gain gain{.mean = mean[head], .standard_error = std::sqrt(variance[head]), .freedom = 1};
      variance[head] = gain.t();
    }
    const head_order order = with_one_strength(of, ordered(variance, mean));
    std::vector<std::size_t>& place = places.emplace_back(heads, heads);
    for (std::size_t i = 0; i < order.size(); ++i)
      place[order[i]] = i;
  }
  return places;
}

head_order steady_heads(std::span<const std::vector<std::size_t>> places, std::size_t top) {
  const std::size_t heads = places.empty() ? 0 : places.front().size();
  std::vector<double> often(heads);
  for (const std::vector<std::size_t>& place : places) {
    for (std::size_t head = 0; head < heads; ++head)
      often[head] += place[head] < std::min(top, heads) ? 1 : 0;
  }
  std::vector<double> worth(heads);
  for (std::size_t head = 0; head < heads; ++head)
    worth[head] = 2 * often[head] > static_cast<double>(places.size()) ? often[head] : 0;
  return ordered(worth, often);
}

namespace {

// Forward selection: at most `most` times the head, once whatever its strengths, whose value is the largest
// one above `to_beat`. value(head, worker) is asked of those that aren't taken, one worker on each of
// `workers` threads; take(head, its value) is told, and says what is to be beaten next.
template <class Value, class Take>
head_order forward_selection(const score_changes& of, std::size_t most, std::size_t workers, double to_beat,
                             const Value& value, const Take& take) {
  head_order order;
  std::vector<bool> taken(of.heads().size());
  std::vector<double> values(of.heads().size());
  const auto try_head = [&](std::size_t head, std::size_t worker) {
    if (!taken[head]) values[head] = value(head, worker);
  };
  while (order.size() < most) {
    if (workers == 1) {
      for (std::size_t head = 0; head < values.size(); ++head)
        try_head(head, 0);
    } else {
      parallel_for(values.size(),
                   [&](std::size_t head, std::size_t worker) noexcept { try_head(head, worker); });
    }
    std::optional<std::size_t> best;
    for (std::size_t head = 0; head < values.size(); ++head) {
      if (!taken[head] && values[head] > (best ? values[*best] : to_beat)) best = head;
    }
    if (!best) break;
    to_beat = take(*best, values[*best]);
    for (std::size_t head = 0; head < taken.size(); ++head)
      taken[head] = taken[head] || of.heads()[head] == of.heads()[*best];
    order.push_back(*best);
  }
  return order;
}

void add(std::span<double> scores, std::span<const double> change) {
  for (std::size_t i = 0; i < scores.size(); ++i)
    scores[i] += change[i];
}

}  // namespace

head_order by_joint_gain(const score_changes& of, search_objective objective,
                         std::span<const std::size_t> over, std::size_t most) {
  const std::vector<double> weights = balanced_weights(of, over);
  std::vector<double> scores = of.estimate({});
  // Memory that the objective takes can't be had inside a parallel region.
  const std::size_t workers = objective == search_objective::auc ? 1 : thread_count();
  std::vector<std::vector<double>> room(workers, scores);
  const auto value = [&](std::size_t head, std::size_t worker) {
    std::vector<double>& joint = room[worker];
    std::copy(scores.begin(), scores.end(), joint.begin());
    add(joint, of.change(head));
    return mean_value(objective, of, joint, over, weights);
  };
  return forward_selection(of, most, workers, mean_value(objective, of, scores, over, weights), value,
                           [&](std::size_t head, double reached) {
                             add(scores, of.change(head));
                             return reached;
                           });
}

head_order by_balanced_gain(const score_changes& of, const score_changes& seen, search_objective objective,
                            std::span<const std::size_t> over, std::size_t most) {
  const std::vector<head_gain> own = all_gains(seen, objective, over);
  const score_changes centred = of.centred(over);
  const std::vector<double> weights = balanced_weights(of, over);
  std::vector<double> scores = of.estimate({});
  const auto likelihood = [&](std::span<const double> of_scores) {
    return mean_value(search_objective::likelihood, of, of_scores, over, weights);
  };
  double reached = likelihood(scores);
  std::vector<std::vector<double>> room(thread_count(), scores);
  const auto value = [&](std::size_t head, std::size_t worker) {
    std::vector<double>& shifted = room[worker];
    // What a change and the same without its means differ by are the means.
    const std::span<const double> change = of.change(head), left = centred.change(head);
    for (std::size_t i = 0; i < shifted.size(); ++i)
      shifted[i] = scores[i] + (change[i] - left[i]);
    return own[head].mean + likelihood(shifted) - reached;
  };
  return forward_selection(of, most, room.size(), least_gain, value, [&](std::size_t head, double) {
    add(scores, of.change(head));
    reached = likelihood(scores);
    return least_gain;
  });
}

head_order at_random(const score_changes& of, std::size_t count, std::uint64_t seed) {
  head_order order(of.heads().size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  runtime::splitmix64 draw(seed);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[static_cast<std::size_t>(draw() % i)]);
  if (count < order.size()) order.resize(count);
  return order;
}

}  // namespace act::search
