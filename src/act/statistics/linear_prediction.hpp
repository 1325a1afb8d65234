// Least squares from moments: how well some numbers of a row are a linear map of others, and which others to
// take. No data is looked at again, so any set of predictors costs the same however long the data was.
#pragma once

#include <act/statistics/moments.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace act::statistics {

/// Numbers [first, first + count) of a row: one vector among those that lie side by side there.
struct stretch {
  std::size_t first = 0;
  std::size_t count = 0;
};

/// output = offset + weights input, fitted by `fit_linear_map`.
struct linear_map {
  std::vector<stretch> inputs;
  stretch output;
  std::vector<double> weights;  ///< [input numbers, output numbers]
  std::vector<double> offset;   ///< one an output number
  std::vector<double> means;    ///< of the inputs, then of the outputs, where it was fitted
};

/// The map with the least sum of squared errors and ridge * (the square of each weight times its input's sum
/// of squares about its mean): a ridge over inputs that are standardised; the offset is free. An input that
/// never varies gets no weight. Preconditions: stretches lie in the rows, the output overlaps no input, and
/// there are rows. With ridge = 0 and inputs that depend on each other, what can't be told apart gets no
/// weight. Cost: inputs^3 / 6 multiply-adds, and inputs^2 for each output.
[[nodiscard]] linear_map fit_linear_map(const moments& data, std::span<const stretch> inputs, stretch output,
                                        double ridge);

/// Shares of the variation that a map explains; at most 1, below 0 where the mean would have been better.
struct explained_variation {
  double mean = 0;    ///< R^2 of each output number, the mean of all (scikit-learn's r2_score)
  double pooled = 0;  ///< all output numbers' squared errors together: the same in any rotated basis
};

/// What `map` explains in `data`, which may be other rows than it was fitted on; variation is about the means
/// of `data`. Output numbers that don't vary there are left out; nothing where none varies.
[[nodiscard]] std::optional<explained_variation> explained(const linear_map& map, const moments& data);

/// Up to `most` of `candidates`, by greedy forward selection: each step takes the one with which the mean
/// R^2 of `output` on these data is largest (with the ridge's penalty counted as error); of equal ones the
/// first. Returns their numbers, in the order in which they were taken; the first k are the selection of k.
/// Preconditions as for fit_linear_map. Cost: for each step about the square of the numbers taken so far
/// times all numbers of the candidates, and some d^3 for each candidate of d numbers.
[[nodiscard]] std::vector<std::size_t> choose_predictors(const moments& data,
                                                         std::span<const stretch> candidates, stretch output,
                                                         std::size_t most, double ridge);

}  // namespace act::statistics
