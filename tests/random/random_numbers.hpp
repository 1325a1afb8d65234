// Where the tests' random numbers come from: drawn from a seed, which repeats them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace act_test {

class random_numbers {
 public:
  explicit random_numbers(unsigned seed) : engine_(seed) {}

  /// 32 random bits.
  std::uint32_t bits() { return static_cast<std::uint32_t>(engine_()); }
  /// One of 0 .. n - 1.
  std::size_t below(std::size_t n) { return bits() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  /// From 0 on, below 1.
  template <class R = double>
  R uniform() {
    return std::uniform_real_distribution<R>{}(engine_);
  }
  /// Around 0, with a standard deviation of 1. They are made in pairs: the second one waits.
  double normal() { return normal_(engine_); }

 private:
  std::mt19937 engine_;
  std::normal_distribution<double> normal_;
};

}  // namespace act_test
