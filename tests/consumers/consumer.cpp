// What a stranger's program needs of the package: the umbrella header, a map, an answer.
#include <act/act.hpp>

#include <cmath>
#include <cstdio>
#include <type_traits>
#include <vector>

int main() {
  const std::size_t tokens = 20;
  std::vector<float> weights(tokens * tokens);
  for (std::size_t i = 0; i < tokens; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const bool strong = j == 4 && i > 4;
      weights[i * tokens + j] = strong ? 0.5F : (i > 4 ? 0.5F : 1.0F) / static_cast<float>(i > 4 ? i : i + 1);
    }
  }
  const auto map = act::attention_span<float>::packed(weights.data(), 1, 1, tokens, tokens);
  const act::calibration_report report = act::calibrate(map, {0});
  const bool right = report.heads.size() == 1 && report.heads[0].sinks.size() == 1 &&
                     report.heads[0].sinks[0].position == 4 &&
                     std::abs(weights[19 * tokens + 4] - 0.2F) < 1e-6F;
  // How it was compiled: run.cmake knows what to expect.
#if defined(_OPENMP)
  const char* const threads = "OpenMP";
#else
  const char* const threads = "one thread";
#endif
  const bool scalar = std::is_same_v<act::simd::default_arch, act::simd::scalar>;
  std::printf("act %s: %s, %s, %s\n", ACT_VERSION_STRING, right ? "calibrated" : "wrong", threads,
              scalar ? "scalar" : "xsimd");
  return right ? 0 : 1;
}
