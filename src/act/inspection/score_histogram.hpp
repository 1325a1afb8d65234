// How attention scores are distributed: the first token's, the sinks' and all others' (the paper's Figure 2).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace act::inspection {

/// Counts of scores (the mean weight from the rows that see a key) by how many times 1 / N they are, N the
/// prompt's tokens: 1 is uniform attention's over the whole prompt, and the relative rule's alpha lies on
/// this scale.
struct score_histogram {
  /// Upper ends of all bins but the last, which has none.
  static constexpr std::array<double, 11> edges{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200};
  using bins = std::array<std::size_t, edges.size() + 1>;

  bins first{};  ///< the first token's
  bins sinks{};
  bins others{};  ///< neither

  /// Precondition: a number.
  [[nodiscard]] static std::size_t bin_of(double times_uniform) noexcept {
    return static_cast<std::size_t>(std::lower_bound(edges.begin(), edges.end(), times_uniform) -
                                    edges.begin());
  }
  void add(const score_histogram& other) noexcept {
    for (std::size_t bin = 0; bin < first.size(); ++bin) {
      first[bin] += other.first[bin];
      sinks[bin] += other.sinks[bin];
      others[bin] += other.others[bin];
    }
  }

  friend bool operator==(const score_histogram&, const score_histogram&) = default;
};

}  // namespace act::inspection
