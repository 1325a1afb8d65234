// The double-precision oracle of calibration: written from the definitions, slowly and plainly, and sharing
// nothing with include/. Tests compare the library against it; it is never installed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace reference {

/// A packed map [batch, head, query, key] and who sees what.
struct map {
  std::size_t batches = 1, heads = 1, queries = 0, keys = 0;
  std::size_t query_offset = 0, window = 0;
  std::vector<std::size_t> first_key;      // one for each batch entry
  std::vector<std::size_t> all_keys = {};  // not causal: one for each batch entry; empty: causal
  std::vector<double> weights = {};

  double& at(std::size_t b, std::size_t h, std::size_t i, std::size_t j) {
    return weights[((b * heads + h) * queries + i) * keys + j];
  }
  double at(std::size_t b, std::size_t h, std::size_t i, std::size_t j) const {
    return weights[((b * heads + h) * queries + i) * keys + j];
  }
  bool sees(std::size_t b, std::size_t i, std::size_t j) const {
    if (!all_keys.empty()) return j >= first_key[b] && j < all_keys[b];
    const std::size_t position = query_offset + i;
    if (j > position || j < first_key[b]) return false;
    return window == 0 || position - j < window;
  }
};

enum class rule { relative, absolute, baseline_corrected };

struct settings {
  rule sinks = rule::relative;
  double alpha = 5, tau = 0.1, beta = 0.4;
  std::size_t min_visible_rows = 1;
  std::size_t position_limit = 0;  // 0: none
};

inline std::size_t rows_seeing(const map& m, std::size_t b, std::size_t j) {
  std::size_t rows = 0;
  for (std::size_t i = 0; i < m.queries; ++i)
    rows += m.sees(b, i, j) ? 1 : 0;
  return rows;
}

/// Mean weight of each key over the rows that see it.
inline std::vector<double> scores(const map& m, std::size_t b, std::size_t h) {
  std::vector<double> result(m.keys, 0.0);
  for (std::size_t j = 0; j < m.keys; ++j) {
    double sum = 0;
    for (std::size_t i = 0; i < m.queries; ++i) {
      if (m.sees(b, i, j)) sum += m.at(b, h, i, j);
    }
    const std::size_t rows = rows_seeing(m, b, j);
    if (rows > 0) result[j] = sum / static_cast<double>(rows);
  }
  return result;
}

/// The score that key j would have if every row shared its attention equally among the keys it sees.
inline double uniform_score(const map& m, std::size_t b, std::size_t j) {
  double sum = 0;
  for (std::size_t i = 0; i < m.queries; ++i) {
    std::size_t seen = 0;
    for (std::size_t t = 0; t < m.keys; ++t)
      seen += m.sees(b, i, t) ? 1 : 0;
    if (m.sees(b, i, j)) sum += 1.0 / static_cast<double>(seen);
  }
  return sum / static_cast<double>(rows_seeing(m, b, j));
}

/// The score that key j must exceed.
inline double threshold(const map& m, std::size_t b, std::size_t j, const settings& s) {
  if (s.sinks == rule::absolute) return s.tau;
  if (s.sinks == rule::baseline_corrected) return s.alpha * uniform_score(m, b, j);
  std::size_t visible = 0;  // a sliding window doesn't reduce it: every key was seen by its own row at least
  const std::size_t end = m.all_keys.empty() ? m.query_offset + m.queries : m.all_keys[b];
  for (std::size_t key = m.first_key[b]; key < end; ++key)
    ++visible;
  return s.alpha / static_cast<double>(visible);
}

inline std::vector<std::size_t> sinks(const map& m, std::size_t b, std::size_t h, const settings& s) {
  const std::vector<double> score = scores(m, b, h);
  std::vector<std::size_t> found;
  for (std::size_t j = 0; j < m.keys; ++j) {
    if (j == m.first_key[b] || rows_seeing(m, b, j) < s.min_visible_rows) continue;
    if (s.position_limit > 0 && j >= s.position_limit) continue;
    if (rows_seeing(m, b, j) > 0 && score[j] > threshold(m, b, j, s)) found.push_back(j);
  }
  return found;
}

/// Calibrates one head with known sinks; returns the mass moved.
inline double calibrate(map& m, std::size_t b, std::size_t h, const std::vector<std::size_t>& sinks,
                        double beta) {
  double moved = 0;
  for (std::size_t i = 0; i < m.queries; ++i) {
    std::vector<bool> is_sink(m.keys, false);
    for (const std::size_t s : sinks)
      is_sink[s] = m.sees(b, i, s);
    double on_sinks = 0, elsewhere = 0;
    for (std::size_t j = 0; j < m.keys; ++j) {
      if (m.sees(b, i, j)) (is_sink[j] ? on_sinks : elsewhere) += m.at(b, h, i, j);
    }
    if (on_sinks == 0 || elsewhere < (on_sinks + elsewhere) / 1048576.0) continue;
    for (std::size_t j = 0; j < m.keys; ++j) {
      if (!m.sees(b, i, j)) continue;
      m.at(b, h, i, j) *= is_sink[j] ? beta : 1 + (1 - beta) * on_sinks / elsewhere;
    }
    moved += (1 - beta) * on_sinks;
  }
  return moved;
}

/// Scales columns of one head by `factor` and gives each row its mass back: what adding ln(factor) to their
/// logits would do. Rows stay whose other keys would count as nothing. Returns the mass that changes places.
inline double renormalise(map& m, std::size_t b, std::size_t h, const std::vector<std::size_t>& columns,
                          double factor) {
  double moved = 0;
  for (std::size_t i = 0; i < m.queries; ++i) {
    std::vector<double> weight(m.keys);
    double mass = 0, elsewhere = 0, scaled = 0;
    for (std::size_t j = 0; j < m.keys; ++j) {
      if (!m.sees(b, i, j)) continue;
      const bool is_column = std::find(columns.begin(), columns.end(), j) != columns.end();
      weight[j] = m.at(b, h, i, j) * (is_column ? factor : 1);
      mass += m.at(b, h, i, j);
      scaled += weight[j];
      if (!is_column) elsewhere += weight[j];
    }
    const double least = (factor > 0 && factor < 1 ? scaled : mass) / 1048576.0;
    if (elsewhere < least || elsewhere == 0 || elsewhere == mass) continue;
    double change = 0;
    for (std::size_t j = 0; j < m.keys; ++j) {
      if (!m.sees(b, i, j)) continue;
      change += std::abs(weight[j] * mass / scaled - m.at(b, h, i, j));
      m.at(b, h, i, j) = weight[j] * mass / scaled;
    }
    moved += change / 2;
  }
  return moved;
}

/// Has the row so little outside of `sinks` that rounding decides whether it is calibrated?
inline bool on_the_edge(const map& m, std::size_t b, std::size_t h, std::size_t i,
                        const std::vector<std::size_t>& sinks) {
  double on_sinks = 0, total = 0;
  for (std::size_t j = 0; j < m.keys; ++j)
    total += m.at(b, h, i, j);
  for (const std::size_t s : sinks)
    on_sinks += m.at(b, h, i, s);
  const double share = (total - on_sinks) / total * 1048576;
  return share > 0.999 && share < 1.001;
}

/// The map cut to one head of one batch entry and its first `rows` rows.
inline map first_rows(const map& m, std::size_t b, std::size_t h, std::size_t rows) {
  map cut{.queries = rows,
          .keys = m.query_offset + rows,
          .query_offset = m.query_offset,
          .window = m.window,
          .first_key = {m.first_key[b]},
          .weights = {}};
  cut.weights.reserve(cut.queries * cut.keys);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cut.keys; ++j)
      cut.weights.push_back(m.at(b, h, i, j));
  }
  return cut;
}

enum class ablation { uniform, subset, inverse, temperature };

/// The paper's other redistributions on one head with known sinks.
inline void ablate(map& m, std::size_t b, std::size_t h, const std::vector<std::size_t>& sinks, ablation kind,
                   double beta, double theta, const std::vector<std::size_t>& subset) {
  const auto in = [](const std::vector<std::size_t>& list, std::size_t j) {
    return std::find(list.begin(), list.end(), j) != list.end();
  };
  for (std::size_t i = 0; i < m.queries; ++i) {
    std::vector<std::size_t> seen;
    double total = 0, on_sinks = 0, on_subset = 0, powers = 0;
    std::size_t others = 0;
    for (std::size_t j = 0; j < m.keys; ++j) {
      if (!m.sees(b, i, j)) continue;
      const double a = m.at(b, h, i, j);
      seen.push_back(j);
      total += a;
      if (in(sinks, j)) on_sinks += a;
      if (!in(sinks, j)) ++others;
      if (in(subset, j) && !in(sinks, j)) on_subset += a;
      if (j != m.first_key[b]) powers += std::pow(a, 1 / theta);
    }
    double without_first = total;
    if (m.sees(b, i, m.first_key[b])) without_first -= m.at(b, h, i, m.first_key[b]);
    const double freed = (1 - beta) * on_sinks, little = total / 1048576.0;
    for (const std::size_t j : seen) {
      double& a = m.at(b, h, i, j);
      const bool is_sink = in(sinks, j);
      switch (kind) {
        case ablation::uniform:
          if (on_sinks > 0 && others > 0) a = is_sink ? beta * a : a + freed / static_cast<double>(others);
          break;
        case ablation::subset:
          if (on_sinks > 0 && on_subset >= little && on_subset > 0) {
            a = is_sink ? beta * a : in(subset, j) ? a + freed * a / on_subset : a;
          }
          break;
        case ablation::inverse:
          if (on_sinks > 0 && on_sinks >= little) {
            a = is_sink ? a + (1 - beta) * (total - on_sinks) * a / on_sinks : beta * a;
          }
          break;
        case ablation::temperature:
          if (j != m.first_key[b] && powers > 0) a = std::pow(a, 1 / theta) / powers * without_first;
          break;
      }
    }
  }
}

/// The authors' published procedure on one head of a whole prompt, in its own order of steps, over the whole
/// square.
inline std::vector<std::size_t> calibrate_like_authors(map& m, std::size_t b, std::size_t h,
                                                       const settings& s) {
  const std::size_t n = m.keys, rows = m.queries;
  // 1: column means over the rows that are left from the diagonal on (one divisor of 1 when there is one row)
  std::vector<double> mean(n, 0.0);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = 0; i < rows; ++i)
      mean[j] += m.at(b, h, i, j);
    mean[j] /= rows == 1 ? 1.0 : static_cast<double>(n - j);
  }
  // 2: ascending indices over the threshold, minus the first one found
  const double limit = s.sinks == rule::absolute ? s.tau : s.alpha / static_cast<double>(n);
  std::vector<std::size_t> found;
  for (std::size_t j = 0; j < n; ++j) {
    if (mean[j] > limit) found.push_back(j);
  }
  if (!found.empty()) found.erase(found.begin());
  // 3: freed mass, from unscaled values; 5: the original with sink columns zeroed, row 0 untouched
  std::vector<double> freed(rows, 0.0), other(rows * n);
  for (std::size_t i = 0; i < rows; ++i) {
    for (const std::size_t k : found)
      freed[i] += (1 - s.beta) * m.at(b, h, i, k);
    for (std::size_t j = 0; j < n; ++j)
      other[i * n + j] = m.at(b, h, i, j);
    for (const std::size_t k : found) {
      if (i > 0) other[i * n + k] = 0;
    }
  }
  // 4: sink columns times beta
  for (std::size_t i = 0; i < rows; ++i) {
    for (const std::size_t k : found)
      m.at(b, h, i, k) *= s.beta;
  }
  // 6: add the freed mass in proportion
  for (std::size_t i = 0; i < rows; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j)
      sum += other[i * n + j];
    for (std::size_t j = 0; j < n; ++j)
      m.at(b, h, i, j) += freed[i] * other[i * n + j] / sum;
  }
  // 7
  m.at(b, h, 0, 0) = 1;
  return found;
}

}  // namespace reference
