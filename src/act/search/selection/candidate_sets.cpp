#include <act/search/selection/candidate_sets.hpp>
#include <act/search/selection/head_orders.hpp>
#include <act/search/selection/objective.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/statistics/false_discovery.hpp>
#include <act/statistics/student_t.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

namespace act::search {

namespace {

constexpr std::size_t stability_resamples = 200;
// Forward selection of more costs much and is noise by then.
constexpr std::size_t most_joint_steps = 120;

head_order in_order(const score_changes& of, const selection_rule& rule, std::span<const std::size_t> over,
                    std::string_view name) {
  const auto seen = [&](search_objective objective, const auto& order) {
    return order(seen_by(objective, of, over), objective);
  };
  const auto gain = [&](const score_changes& changes, search_objective objective) {
    return by_gain(changes, objective, over);
  };
  if (name == "studentised gain") {
    return seen(rule.objective, [&](const score_changes& changes, search_objective objective) {
      return by_studentised_gain(changes, objective, over);
    });
  }
  if (name == "shared gain") {
    return seen(rule.objective, [&](const score_changes& changes, search_objective objective) {
      return by_shared_gain(changes, objective, over);
    });
  }
  const auto most = [&] {
    const std::size_t count = rule.count_among(of.searched_heads());
    return std::min(count > 0 ? count : most_joint_steps, of.head_count());
  };
  if (name == "joint gain") {
    return seen(rule.objective, [&](const score_changes& changes, search_objective objective) {
      return by_joint_gain(changes, objective, over, most());
    });
  }
  if (name == "balanced gain") {
    return seen(rule.objective, [&](const score_changes& changes, search_objective objective) {
      return by_balanced_gain(of, changes, objective, over, most());
    });
  }
  if (name == "likelihood") return seen(search_objective::likelihood, gain);
  if (name == "auc") return seen(search_objective::auc, gain);
  if (name == "centred") return seen(search_objective::centred, gain);
  return seen(rule.objective, gain);
}

// Heads whose gain a one-sided paired test believes, best gain first.
head_order believed_heads(const score_changes& of, const selection_rule& rule,
                          std::span<const std::size_t> over) {
  const score_changes seen = seen_by(rule.objective, of, over);
  const std::vector<double> gains = sample_gains(rule.objective, seen, over);
  std::vector<double> p;
  for (std::size_t head = 0; head < of.heads().size(); ++head) {
    const head_gain gain = gain_of(of, std::span(gains).subspan(head * over.size(), over.size()), over);
    p.push_back(statistics::student_t_upper_tail(gain.t(), gain.freedom));
  }
  std::vector<bool> believed(p.size());
  for (const std::size_t head : statistics::benjamini_hochberg(p, rule.false_share))
    believed[head] = true;
  head_order order = by_gain(seen, rule.objective, over);
  std::erase_if(order, [&](std::size_t head) { return !believed[head]; });
  return order;
}

// Every head with the strength that gains most, or loses least, in ascending order.
head_order every_head(const score_changes& of, const selection_rule& rule,
                      std::span<const std::size_t> over) {
  head_order order(of.heads().size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (of.head_count() == order.size()) return order;
  const std::vector<double> gains = sample_gains(rule.objective, seen_by(rule.objective, of, over), over);
  std::vector<double> mean;
  for (std::size_t head = 0; head < order.size(); ++head)
    mean.push_back(gain_of(of, std::span(gains).subspan(head * over.size(), over.size()), over).mean);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return mean[a] > mean[b]; });
  order = with_one_strength(of, order);
  std::sort(order.begin(), order.end());
  return order;
}

std::vector<std::vector<std::size_t>> places_of(const score_changes& of, const selection_rule& rule,
                                                std::span<const std::size_t> over) {
  const score_changes seen = seen_by(rule.objective, of, over);
  return resampled_places(seen, rule.objective, over, stability_resamples, rule.seed);
}

}  // namespace

std::vector<std::size_t> sizes_to_try(std::size_t heads) {
  std::vector<std::size_t> sizes;
  for (std::size_t size = 1; size < heads; size += std::max<std::size_t>(1, size / 6))
    sizes.push_back(size);
  if (heads > 0) sizes.push_back(heads);
  return sizes;
}

std::vector<set_recipe> recipes(const selection_rule& rule, const score_changes& of) {
  const auto fixed = [](std::string_view order, std::size_t size) {
    return std::vector<set_recipe>{{.order = order, .size = size, .whole = size == 0}};
  };
  const std::size_t heads = of.head_count();
  // A share is of all that are searched: racing doesn't try those to the end that can't be picked.
  const std::size_t count = rule.count_among(of.searched_heads());
  std::vector<set_recipe> made{{.order = "none", .size = 0}};
  const auto add = [&](std::string_view order) {
    const bool step_by_step = order == "joint gain" || order == "balanced gain";
    for (const std::size_t size : sizes_to_try(step_by_step ? std::min(heads, most_joint_steps) : heads))
      made.push_back({.order = order, .size = size});
  };
  switch (rule.method) {
    case selection_method::paper:
      return fixed("net gain", 0);
    case selection_method::fdr:
      return fixed("believed", 0);
    case selection_method::all:
      return fixed("all", 0);
    case selection_method::random:
      return fixed("random", count);
    case selection_method::initial_mass:
      return fixed("initial mass", count);
    case selection_method::top:
      if (count > 0) return fixed("gain", count);
      add("gain");
      break;
    case selection_method::stable:
      if (count > 0) return fixed("steady", count);
      add("steady");
      break;
    case selection_method::shared:
      if (count > 0) return fixed("shared gain", count);
      add("shared gain");
      break;
    case selection_method::greedy:
      if (count > 0) return fixed("joint gain", count);
      add("joint gain");
      break;
    case selection_method::balanced:
      if (count > 0) return fixed("balanced gain", count);
      add("balanced gain");
      break;
    case selection_method::additive:
      for (const std::string_view order : {"likelihood", "centred", "auc", "studentised gain", "joint gain"})
        add(order);
      break;
  }
  return made;
}

std::vector<head_order> candidate_sets(const selection_rule& rule, const score_changes& of,
                                       std::span<const std::size_t> over) {
  const std::vector<set_recipe> made = recipes(rule, of);
  std::vector<head_order> sets;
  std::string_view last;
  head_order order;
  std::vector<std::vector<std::size_t>> places;
  for (const set_recipe& each : made) {
    if (each.order == "steady") {
      if (places.empty()) places = places_of(of, rule, over);
      sets.push_back(steady_heads(places, each.size));
      continue;
    }
    if (each.order != last) {
      last = each.order;
      if (last == "none") {
        order.clear();
      } else if (last == "net gain") {
        order = by_net_gain(of, over);
      } else if (last == "believed") {
        order = believed_heads(of, rule, over);
      } else if (last == "all") {
        order = every_head(of, rule, over);
      } else if (last == "random") {
        order = at_random(of, of.heads().size(), rule.random_seed);
      } else if (last == "initial mass") {
        order = by_initial_mass(of, over);
      } else {
        order = in_order(of, rule, over, last);
      }
      order = with_one_strength(of, order);
    }
    const std::size_t size = each.whole ? order.size() : std::min(each.size, order.size());
    sets.emplace_back(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(size));
  }
  return sets;
}

}  // namespace act::search
