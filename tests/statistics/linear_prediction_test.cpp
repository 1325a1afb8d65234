// Moments against sums over the data, maps against what least squares means, and the choice of predictors
// against trying them all. PyTorch's least squares: tests/inspection/predictability_test.cpp.
#include <doctest/doctest.h>
#include <act/parallel.hpp>
#include <act/statistics/linear_prediction.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

namespace {

using act::statistics::explained;
using act::statistics::fit_linear_map;
using act::statistics::linear_map;
using act::statistics::moments;
using act::statistics::stretch;

constexpr std::size_t width = 11;

// Numbers 0..2 and 3..5 are drawn; 6..8 are a map of both with some noise; 9 never varies; 10 repeats 0.
std::vector<float> rows_of(std::size_t count, unsigned seed, float noise = 0.3F) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> rows(count * width);
  for (std::size_t row = 0; row < count; ++row) {
    float* const x = rows.data() + row * width;
    for (std::size_t i = 0; i < 6; ++i)
      x[i] = normal(generator) * static_cast<float>(i + 1) + 4.0F;
    for (std::size_t i = 6; i < 9; ++i)
      x[i] = 7.0F + x[i - 6] - 0.5F * x[(i - 6 + 1) % 3] + 0.25F * x[i - 3] + noise * normal(generator);
    x[9] = 0.7F;
    x[10] = x[0];
  }
  return rows;
}

moments moments_of(const std::vector<float>& rows) {
  moments sums(width);
  sums.add(rows.data(), rows.size() / width, width);
  return sums;
}

double error_of(const linear_map& map, const std::vector<float>& rows, std::size_t row, std::size_t output) {
  double predicted = map.offset[output];
  std::size_t at = 0;
  for (const stretch& each : map.inputs) {
    for (std::size_t i = 0; i < each.count; ++i, ++at)
      predicted += map.weights[at * map.output.count + output] * rows[row * width + each.first + i];
  }
  return rows[row * width + map.output.first + output] - predicted;
}

constexpr stretch first{0, 3}, second{3, 3}, output{6, 3}, constant{9, 1}, repeated{10, 1};

}  // namespace

TEST_CASE("moments are the sums of products, whatever the blocks and threads") {
  const std::vector<float> rows = rows_of(203, 1);
  const moments whole = moments_of(rows);
  CHECK(whole.count() == 203);
  CHECK(whole.width() == width);
  CHECK(moments::bytes(width) == 4 * width * (width + 1) + 8 * width);
  for (std::size_t a = 0; a < width; ++a) {
    double sum = 0;
    for (std::size_t row = 0; row < 203; ++row)
      sum += static_cast<double>(rows[row * width + a]);
    CHECK(whole.mean(a) == doctest::Approx(sum / 203).epsilon(1e-13));
    for (std::size_t b = 0; b < width; ++b) {
      double centred = 0, about = 0;
      for (std::size_t row = 0; row < 203; ++row) {
        const double x = rows[row * width + a], y = rows[row * width + b];
        centred += (x - whole.mean(a)) * (y - whole.mean(b));
        about += (x - 3.0) * (y + 2.0);
      }
      CHECK(whole.centred(a, b) == doctest::Approx(centred).epsilon(1e-10));
      CHECK(whole.product(a, b, 3.0, -2.0) == doctest::Approx(about).epsilon(1e-10));
    }
  }
  moments pieces(width);
  pieces.add(rows.data(), 64, width);
  pieces.add(rows.data() + 64 * width, 139, width);
  moments on_one_thread(width);
  act::set_thread_count(1);
  on_one_thread.add(rows.data(), 203, width);
  act::set_thread_count(0);
  for (std::size_t a = 0; a < width; ++a) {
    for (std::size_t b = 0; b < width; ++b) {
      CHECK(pieces.product(a, b, 0, 0) == doctest::Approx(whole.product(a, b, 0, 0)).epsilon(1e-13));
      CHECK(on_one_thread.product(a, b, 0, 0) == whole.product(a, b, 0, 0));
    }
  }
  CHECK(whole.finite());
  const float infinite = std::numeric_limits<float>::infinity();
  moments broken(1);
  broken.add(&infinite, 1, 1);
  CHECK(!broken.finite());
}

TEST_CASE("a fitted map leaves errors that no input has a part in, and explains what its errors say") {
  const std::vector<float> rows = rows_of(300, 2), others = rows_of(150, 3);
  const moments data = moments_of(rows), unseen = moments_of(others);
  const std::vector<stretch> inputs{first, second};
  const linear_map map = fit_linear_map(data, inputs, output, 0);
  for (std::size_t j = 0; j < 3; ++j) {
    double sum = 0;
    std::vector<double> with_input(6);
    for (std::size_t row = 0; row < 300; ++row) {
      const double error = error_of(map, rows, row, j);
      sum += error;
      for (std::size_t i = 0; i < 6; ++i)
        with_input[i] += error * rows[row * width + i];
    }
    CHECK(std::abs(sum) < 1e-8);
    for (const double each : with_input)
      CHECK(std::abs(each) < 1e-7);
  }
  // What the errors of each row come to, of rows that were fitted and of others.
  for (const auto* part : {&rows, &others}) {
    const moments& sums = part == &rows ? data : unseen;
    const std::size_t count = part->size() / width;
    double mean = 0, all_errors = 0, all = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      double errors = 0, variation = 0;
      for (std::size_t row = 0; row < count; ++row) {
        errors += std::pow(error_of(map, *part, row, j), 2);
        variation += std::pow((*part)[row * width + 6 + j] - sums.mean(6 + j), 2);
      }
      mean += (1 - errors / variation) / 3;
      all_errors += errors;
      all += variation;
    }
    const auto shares = explained(map, sums);
    REQUIRE(shares.has_value());
    CHECK(shares->mean == doctest::Approx(mean).epsilon(1e-9));
    CHECK(shares->pooled == doctest::Approx(1 - all_errors / all).epsilon(1e-9));
  }
}

TEST_CASE("what can't be told apart or never varies gets no weight, and breaks nothing") {
  const std::vector<float> rows = rows_of(200, 4);
  const moments data = moments_of(rows);
  const std::vector<stretch> plain{first, second}, doubled{first, second, repeated, constant};
  for (const double ridge : {0.0, 1e-6}) {
    const auto usual = explained(fit_linear_map(data, plain, output, ridge), data);
    const linear_map map = fit_linear_map(data, doubled, output, ridge);
    const auto shares = explained(map, data);
    REQUIRE(usual.has_value());
    REQUIRE(shares.has_value());
    CHECK(shares->mean == doctest::Approx(usual->mean).epsilon(1e-6));
    for (std::size_t j = 0; j < 3; ++j) {
      CHECK(map.weights[7 * 3 + j] == 0);                  // the constant
      if (ridge == 0) CHECK(map.weights[6 * 3 + j] == 0);  // the repeated one
    }
  }
  CHECK(!explained(fit_linear_map(data, plain, constant, 0), data).has_value());
  const auto exact = explained(fit_linear_map(data, plain, repeated, 0), data);
  REQUIRE(exact.has_value());
  CHECK(exact->mean == doctest::Approx(1).epsilon(1e-12));
  // A ridge that outweighs the data leaves the mean.
  const auto flat = explained(fit_linear_map(data, plain, output, 1e9), data);
  REQUIRE(flat.has_value());
  CHECK(std::abs(flat->mean) < 1e-6);
}

TEST_CASE("predictors are chosen as by trying each next one") {
  std::mt19937 generator(5);
  std::normal_distribution<float> normal;
  constexpr std::size_t heads = 7, size = 2, count = 400, all = heads * size;
  std::vector<float> rows(count * all);
  for (std::size_t row = 0; row < count; ++row) {
    float shared[3];
    for (float& each : shared)
      each = normal(generator);
    for (std::size_t i = 0; i < all; ++i) {
      rows[row * all + i] = shared[i % 3] * static_cast<float>(1 + i % 5) + shared[(i / 2) % 3] +
                            0.4F * static_cast<float>(1 + i % 4) * normal(generator);
    }
  }
  moments data(all);
  data.add(rows.data(), count, all);
  for (const double ridge : {0.0, 1e-6}) {
    for (std::size_t target = 0; target < heads; ++target) {
      std::vector<stretch> candidates;
      for (std::size_t head = 0; head < heads; ++head) {
        if (head != target) candidates.push_back({head * size, size});
      }
      const stretch to{target * size, size};
      const std::vector<std::size_t> chosen = choose_predictors(data, candidates, to, 4, ridge);
      REQUIRE(chosen.size() == 4);
      std::vector<stretch> taken;
      for (const std::size_t next : chosen) {
        std::size_t best = 0;
        double most = -1;
        for (std::size_t candidate = 0; candidate < candidates.size(); ++candidate) {
          std::vector<stretch> tried = taken;
          bool there = false;
          for (const stretch& each : taken)
            there = there || each.first == candidates[candidate].first;
          if (there) continue;
          tried.push_back(candidates[candidate]);
          const double share = explained(fit_linear_map(data, tried, to, ridge), data).value().mean;
          if (share > most) {
            most = share;
            best = candidate;
          }
        }
        CHECK(next == best);
        taken.push_back(candidates[next]);
      }
    }
    CHECK(choose_predictors(data, std::vector<stretch>{{0, size}}, stretch{2, size}, 4, ridge).size() == 1);
    CHECK(choose_predictors(data, {}, stretch{2, size}, 4, ridge).empty());
  }
}
