// One program for every processor: chooses at run time among units compiled for different instruction sets,
// and says what each of them costs. Compiled without -m flags, as everything that runs before the choice must
// be.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <random>
#include <vector>

#include "kernels.hpp"

namespace {

// Ascending: the last that runs is the best.
constexpr const dispatch::kernels* all[] = {&dispatch::baseline,
#if defined(DISPATCH_X86)
                                            &dispatch::avx2, &dispatch::avx512
#endif
};

/// What an engine does once, when it starts.
const dispatch::kernels& best() {
  const dispatch::kernels* chosen = all[0];
  for (const dispatch::kernels* each : all) {
    if (each->runs_here()) chosen = each;
  }
  return *chosen;
}

constexpr std::size_t heads = 8, tokens = 256;

/// Softmaxed causal rows; every twentieth key draws attention.
std::vector<float> example_map() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> map(heads * tokens * tokens, 0.0F);
  for (std::size_t row = 0; row < heads * tokens; ++row) {
    float* const at = map.data() + row * tokens;
    float sum = 0;
    for (std::size_t j = 0; j <= row % tokens; ++j)
      sum += at[j] = std::exp(normal(random) + (j % 20 == 7 ? 4.0F : 0.0F));
    for (std::size_t j = 0; j <= row % tokens; ++j)
      at[j] /= sum;
  }
  return map;
}

}  // namespace

int main() {
  const std::vector<float> map = example_map();
  const std::vector<std::size_t> chosen{0, 2, 3, 5, 7};
  std::printf("chosen: %s\n", best().name);

  std::vector<float> expected;
  float worst = 0;
  for (const dispatch::kernels* each : all) {
    if (!each->runs_here()) {
      std::printf("%-9s this processor lacks it\n", each->name);
      continue;
    }
    double fastest = 1e9;
    std::size_t sinks = 0;
    std::vector<float> result;
    for (int round = 0; round < 20; ++round) {
      result = map;
      const auto start = std::chrono::steady_clock::now();
      sinks = each->calibrate(result.data(), heads, tokens, chosen.data(), chosen.size());
      const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
      fastest = std::min(fastest, time.count());
    }
    if (expected.empty()) expected = result;
    for (std::size_t k = 0; k < result.size(); ++k)
      worst = std::max(worst, std::abs(result[k] - expected[k]));
    std::printf("%-9s %.3f ms, %zu sinks\n", each->name, fastest, sinks);
  }
  const bool agree = worst <= 4e-7F;
  std::printf("largest difference from the baseline: %.1e%s\n", double(worst), agree ? ", all agree" : "");
  return agree ? 0 : 1;
}
