// The paper's other ways to change a row once its sinks are known (tables 6 and 7): uniform, to a subset,
// inverse, temperature. For researchers who repeat its ablations, through calibration_options::redistribute.
// Not fast paths: plain loops in double, two or three passes over the row. Each keeps the row's mass.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/sinks_in_rows.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/element.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// A row's visible mass, on sinks and elsewhere.
struct row_mass {
  double on_sinks = 0;
  double elsewhere = 0;
  [[nodiscard]] double total() const noexcept { return on_sinks + elsewhere; }
};

/// Calls each(weight, is_sink) for every visible element in order; what it returns is stored when `Write`.
template <bool Write, class T, class Each>
void walk_row(T* row, key_range seen, std::span<const std::size_t> sinks, Each&& each) noexcept {
  using element = element_traits<T>;
  std::size_t next = 0;
  for (std::size_t j = seen.begin; j < seen.end; ++j) {
    const bool is_sink = next < sinks.size() && sinks[next] == j;
    if (is_sink) ++next;
    const double weight = static_cast<double>(element::load(row[j]));
    if constexpr (Write) {
      row[j] = element::store(static_cast<typename element::accumulator>(each(weight, is_sink)));
    } else {
      each(weight, is_sink);
    }
  }
}

template <class T>
[[nodiscard]] row_mass weigh_row(T* row, key_range seen, std::span<const std::size_t> sinks) noexcept {
  row_mass mass;
  walk_row<false>(row, seen, sinks,
                  [&](double weight, bool is_sink) { (is_sink ? mass.on_sinks : mass.elsewhere) += weight; });
  return mass;
}

/// What sinks lose is shared equally among the row's other visible keys.
template <class T>
double redistribute_uniformly(T* row, key_range seen, std::span<const std::size_t> sinks,
                              double beta) noexcept {
  const row_mass mass = weigh_row(row, seen, sinks);
  const std::size_t others = seen.size() - sinks.size();
  if (!(mass.on_sinks > 0) || !std::isfinite(mass.total()) || others == 0 || beta == 1) return 0;
  const double freed = (1 - beta) * mass.on_sinks;
  const double share = freed / static_cast<double>(others);
  walk_row<true>(row, seen, sinks,
                 [&](double weight, bool is_sink) { return is_sink ? beta * weight : weight + share; });
  return freed;
}

/// What sinks lose goes to the keys of `subset` that aren't sinks, in proportion; the row stays when they
/// have nothing.
template <class T>
double redistribute_to_subset(T* row, key_range seen, std::span<const std::size_t> sinks,
                              std::span<const std::size_t> subset, double beta) noexcept {
  const row_mass mass = weigh_row(row, seen, sinks);
  if (!(mass.on_sinks > 0) || !std::isfinite(mass.total()) || beta == 1) return 0;
  const auto receives = [&](std::size_t key) { return !std::binary_search(sinks.begin(), sinks.end(), key); };
  const std::span<const std::size_t> receivers = sinks_within(subset, seen);
  using element = element_traits<T>;
  double receiving = 0;
  for (const std::size_t key : receivers) {
    if (receives(key)) receiving += static_cast<double>(element::load(row[key]));
  }
  if (!(receiving >= least_remainder * mass.total())) return 0;
  const double freed = (1 - beta) * mass.on_sinks;
  using accumulator = typename element::accumulator;
  const auto scale = [&](std::size_t key, double factor) {
    row[key] =
        element::store(static_cast<accumulator>(static_cast<double>(element::load(row[key])) * factor));
  };
  for (const std::size_t key : sinks)
    scale(key, beta);
  for (const std::size_t key : receivers) {
    if (receives(key)) scale(key, 1 + freed / receiving);
  }
  return freed;
}

/// Keys other than sinks keep beta; what they lose goes to the row's sinks, in proportion.
template <class T>
double redistribute_inversely(T* row, key_range seen, std::span<const std::size_t> sinks,
                              double beta) noexcept {
  const row_mass mass = weigh_row(row, seen, sinks);
  if (!std::isfinite(mass.total()) || !(mass.on_sinks > 0) || beta == 1) return 0;
  if (mass.on_sinks < least_remainder * mass.total()) return 0;
  const double freed = (1 - beta) * mass.elsewhere;
  const double at_sinks = 1 + freed / mass.on_sinks;
  walk_row<true>(row, seen, sinks,
                 [&](double weight, bool is_sink) { return weight * (is_sink ? at_sinks : beta); });
  return freed;
}

/// All visible keys but the initial one become proportional to weight^(1 / theta), their mass together
/// unchanged. Weights are taken relative to the largest, so that no power underflows the whole row. Returns
/// the mass moved: half of the absolute changes, what left some keys for others.
template <class T>
double temper(T* row, key_range seen, std::size_t initial, double theta) noexcept {
  if (theta == 1) return 0;
  const std::size_t one[] = {initial};
  const std::span<const std::size_t> kept = sinks_within(one, seen);
  double mass = 0, largest = 0, powers = 0;
  bool finite = true;
  walk_row<false>(row, seen, kept, [&](double weight, bool is_initial) {
    if (is_initial) finite = std::isfinite(weight);
    if (is_initial) return;
    mass += weight;
    largest = std::max(largest, weight);
  });
  if (!(largest > 0) || !std::isfinite(mass) || !finite) return 0;
  const auto power = [&](double weight) { return weight == 0 ? 0.0 : std::pow(weight / largest, 1 / theta); };
  walk_row<false>(row, seen, kept, [&](double weight, bool is_initial) {
    if (!is_initial) powers += power(weight);
  });
  double changed = 0;
  walk_row<true>(row, seen, kept, [&](double weight, bool is_initial) {
    if (is_initial) return weight;
    const double tempered = power(weight) * mass / powers;
    changed += std::abs(tempered - weight);
    return tempered;
  });
  return changed / 2;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
