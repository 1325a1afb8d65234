#include <act/statistics/linear_prediction.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

namespace act::statistics {

namespace {

// A row-major table of numbers.
struct table {
  std::size_t rows = 0, columns = 0;
  std::vector<double> numbers = std::vector<double>(rows * columns);

  [[nodiscard]] double* row(std::size_t number) noexcept { return numbers.data() + number * columns; }
  [[nodiscard]] const double* row(std::size_t number) const noexcept {
    return numbers.data() + number * columns;
  }
};

// to += factor from, `count` numbers.
void add_scaled(double* to, const double* from, double factor, std::size_t count) noexcept {
  for (std::size_t at = 0; at < count; ++at)
    to[at] += factor * from[at];
}

// A = U^T U in the upper triangle of `a`; what is below it is left alone. A pivot that rounding has eaten up
// belongs to a number that those before it determine, or that never varies: its row becomes 0, so it gets no
// weight. `largest`: the pivots' size before anything was eliminated.
void factorise(table& a, const std::vector<double>& largest) noexcept {
  for (std::size_t j = 0; j < a.rows; ++j) {
    double* const row = a.row(j);
    if (largest[j] <= 0 || row[j] <= 1e-13 * largest[j]) {
      std::fill(row + j, row + a.columns, 0.0);
      continue;
    }
    const double root = std::sqrt(row[j]);
    for (std::size_t k = j; k < a.columns; ++k)
      row[k] /= root;
    for (std::size_t i = j + 1; i < a.rows; ++i)
      add_scaled(a.row(i) + i, row + i, -row[i], a.columns - i);
  }
}

// U^-T b in place.
void substitute(const table& factor, table& b) noexcept {
  for (std::size_t i = 0; i < factor.rows; ++i) {
    const double* const row = factor.row(i);
    double* const from = b.row(i);
    if (row[i] == 0) {
      std::fill_n(from, b.columns, 0.0);
      continue;
    }
    for (std::size_t at = 0; at < b.columns; ++at)
      from[at] /= row[i];
    for (std::size_t k = i + 1; k < factor.rows; ++k)
      add_scaled(b.row(k), from, -row[k], b.columns);
  }
}

// U^-1 b in place.
void substitute_back(const table& factor, table& b) noexcept {
  for (std::size_t i = factor.rows; i-- > 0;) {
    const double* const row = factor.row(i);
    double* const into = b.row(i);
    if (row[i] == 0) continue;  // b is 0 there
    for (std::size_t k = i + 1; k < factor.rows; ++k)
      add_scaled(into, b.row(k), -row[k], b.columns);
    for (std::size_t at = 0; at < b.columns; ++at)
      into[at] /= row[i];
  }
}

// The numbers of all stretches, in order.
std::vector<std::size_t> numbers_of(std::span<const stretch> stretches) {
  std::vector<std::size_t> all;
  for (const stretch& each : stretches) {
    all.resize(all.size() + each.count);
    std::iota(all.end() - static_cast<std::ptrdiff_t>(each.count), all.end(), each.first);
  }
  return all;
}

// Sums of products about the means, rows by columns.
table centred(const moments& data, const std::vector<std::size_t>& rows,
              const std::vector<std::size_t>& columns) {
  table made{.rows = rows.size(), .columns = columns.size()};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < columns.size(); ++j)
      made.row(i)[j] = data.centred(rows[i], columns[j]);
  }
  return made;
}

void add_ridge(table& square, double ridge) noexcept {
  for (std::size_t i = 0; i < square.rows; ++i)
    square.row(i)[i] *= 1 + ridge;
}

// Whether a sum of squares is more than what rounding leaves of a number that is always the same.
bool varies(double sum_of_squares, double mean, std::size_t count) noexcept {
  return sum_of_squares > 1e-13 * mean * mean * static_cast<double>(count);
}

// The sums of squares about the means; 0 for numbers that don't vary.
std::vector<double> variations(const moments& data, const std::vector<std::size_t>& numbers) {
  std::vector<double> made;
  for (const std::size_t each : numbers) {
    const double variation = data.centred(each, each);
    made.push_back(varies(variation, data.mean(each), data.count()) ? variation : 0);
  }
  return made;
}

}  // namespace

linear_map fit_linear_map(const moments& data, std::span<const stretch> inputs, stretch output,
                          double ridge) {
  const std::vector<std::size_t> in = numbers_of(inputs), out = numbers_of({&output, 1});
  table factor = centred(data, in, in);
  add_ridge(factor, ridge);
  factorise(factor, variations(data, in));
  table weights = centred(data, in, out);
  substitute(factor, weights);
  substitute_back(factor, weights);

  linear_map made{.inputs = {inputs.begin(), inputs.end()},
                  .output = output,
                  .weights = std::move(weights.numbers),
                  .offset = {},
                  .means = {}};
  for (const std::size_t each : in)
    made.means.push_back(data.mean(each));
  for (std::size_t j = 0; j < out.size(); ++j) {
    made.means.push_back(data.mean(out[j]));
    double offset = made.means.back();
    for (std::size_t i = 0; i < in.size(); ++i)
      offset -= made.means[i] * made.weights[i * out.size() + j];
    made.offset.push_back(offset);
  }
  return made;
}

std::optional<explained_variation> explained(const linear_map& map, const moments& data) {
  const std::vector<std::size_t> in = numbers_of(map.inputs), out = numbers_of({&map.output, 1});
  const std::size_t outputs = out.size();
  // With e = (y - mean y) - w (x - mean x), about the means of the fitted data:
  // sum e^2 = sum y^2 - 2 w . sum x y + w . (sum x x^T) w.
  std::vector<double> errors(outputs);
  for (std::size_t j = 0; j < outputs; ++j) {
    const double mean = map.means[in.size() + j];
    errors[j] = data.product(out[j], out[j], mean, mean);
  }
  std::vector<double> reached(outputs);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double* const weights = map.weights.data() + i * outputs;
    std::fill(reached.begin(), reached.end(), 0.0);
    for (std::size_t k = 0; k <= i; ++k) {
      const double product = data.product(in[i], in[k], map.means[i], map.means[k]);
      add_scaled(reached.data(), map.weights.data() + k * outputs, k == i ? product : 2 * product, outputs);
    }
    for (std::size_t j = 0; j < outputs; ++j) {
      reached[j] -= 2 * data.product(in[i], out[j], map.means[i], map.means[in.size() + j]);
      errors[j] += weights[j] * reached[j];
    }
  }
  explained_variation shares;
  double all_errors = 0, all = 0;
  std::size_t varying = 0;
  for (std::size_t j = 0; j < outputs; ++j) {
    const double variation = data.centred(out[j], out[j]);
    if (!varies(variation, data.mean(out[j]), data.count())) continue;
    const double error = std::max(0.0, errors[j]);
    shares.mean += 1 - error / variation;
    all_errors += error;
    all += variation;
    ++varying;
  }
  if (varying == 0) return std::nullopt;
  shares.mean /= static_cast<double>(varying);
  shares.pooled = 1 - all_errors / all;
  return shares;
}

namespace {

// Greedy selection by elimination: what is left of the candidates' and the output's products once those taken
// have explained what they can. Only the parts that a step looks at are kept up to date.
class elimination {
 public:
  elimination(const moments& data, std::span<const stretch> candidates, stretch output, double ridge)
      : data_(data), candidates_(candidates), output_(output) {
    const std::vector<std::size_t> out = numbers_of({&output, 1});
    for (const stretch& each : candidates) {
      firsts_.push_back(width_);
      width_ += each.count;
      const std::vector<std::size_t> numbers = numbers_of({&each, 1});
      table own = centred(data, numbers, numbers);
      add_ridge(own, ridge);
      own_.push_back(std::move(own));
      scales_.push_back(variations(data, numbers));
      to_output_.push_back(centred(data, numbers, out));
    }
    for (const double variation : variations(data, out))
      importance_.push_back(variation > 0 ? 1 / variation : 0);
    numbers_ = numbers_of(candidates);
    numbers_.insert(numbers_.end(), out.begin(), out.end());
  }

  // By how much taking `candidate` raises the sum of the outputs' R^2.
  [[nodiscard]] double gain(std::size_t candidate) const {
    table factor = own_[candidate], reached = to_output_[candidate];
    factorise(factor, scales_[candidate]);
    substitute(factor, reached);
    double sum = 0;
    for (std::size_t i = 0; i < reached.rows; ++i) {
      for (std::size_t j = 0; j < reached.columns; ++j)
        sum += importance_[j] * reached.row(i)[j] * reached.row(i)[j];
    }
    return sum;
  }

  void take(std::size_t candidate) {
    const stretch& taken = candidates_[candidate];
    table rows = centred(data_, numbers_of({&taken, 1}), numbers_);
    for (const table& before : eliminated_) {
      for (std::size_t k = 0; k < before.rows; ++k) {
        for (std::size_t i = 0; i < taken.count; ++i)
          add_scaled(rows.row(i), before.row(k), -before.row(k)[firsts_[candidate] + i], rows.columns);
      }
    }
    table factor = own_[candidate];
    factorise(factor, scales_[candidate]);
    substitute(factor, rows);
    for (std::size_t other = 0; other < candidates_.size(); ++other) {
      for (std::size_t k = 0; k < rows.rows; ++k) {
        const double* const row = rows.row(k);
        const double* const from = row + firsts_[other];
        for (std::size_t i = 0; i < candidates_[other].count; ++i) {
          add_scaled(own_[other].row(i), from, -from[i], candidates_[other].count);
          add_scaled(to_output_[other].row(i), row + width_, -from[i], output_.count);
        }
      }
    }
    eliminated_.push_back(std::move(rows));
  }

 private:
  const moments& data_;
  std::span<const stretch> candidates_;
  stretch output_;
  std::size_t width_ = 0;                    // all candidates' numbers
  std::vector<std::size_t> firsts_;          // of each candidate among them
  std::vector<std::size_t> numbers_;         // the candidates', then the output's
  std::vector<table> own_, to_output_;       // of each candidate: what is left with itself, with the output
  std::vector<std::vector<double>> scales_;  // its pivots before
  std::vector<double> importance_;           // of each output number: 1 / its variation
  std::vector<table> eliminated_;            // rows of each one taken, over numbers_
};

}  // namespace

std::vector<std::size_t> choose_predictors(const moments& data, std::span<const stretch> candidates,
                                           stretch output, std::size_t most, double ridge) {
  std::vector<std::size_t> chosen;
  elimination left(data, candidates, output, ridge);
  while (chosen.size() < std::min(most, candidates.size())) {
    double best = -std::numeric_limits<double>::infinity();
    std::size_t next = 0;
    for (std::size_t candidate = 0; candidate < candidates.size(); ++candidate) {
      if (std::find(chosen.begin(), chosen.end(), candidate) != chosen.end()) continue;
      const double gain = left.gain(candidate);
      if (gain > best) {
        best = gain;
        next = candidate;
      }
    }
    chosen.push_back(next);
    if (chosen.size() < std::min(most, candidates.size())) left.take(next);
  }
  return chosen;
}

}  // namespace act::statistics
