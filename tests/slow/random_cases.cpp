// The slow test: every form of calibration against the double oracle on random cases.
//   act_random_cases [CASES [FIRST_SEED]]     10,000 cases from seed 1 on by default
// It prints the largest error of each element type and form next to its bound, and, where a bound is broken,
// the case's seed: `act_random_cases 1 SEED` runs that case alone. Exit status 1 when anything failed.
#include <act/detail/kernels/simd.hpp>
#include <act/half.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "slow/attention_forms.hpp"

namespace {

using slow::findings, slow::attention_case, slow::record, slow::rounding;

template <class T>
void run(const attention_case& c, findings& f) {
  if (c.seed % 8 < 6) {
    slow::run_case<T, act::simd::default_arch>(c, f);
  } else {
    slow::run_case<T, act::simd::scalar>(c, f);
  }
}

template <class T>
void run(unsigned seed, findings& f) {
  attention_case c = act_test::any_case(seed);
  run<T>(c, f);
  if (seed % 4 != 3) return;
  c.position_limit = 1 + seed * 7 % c.keys();  // once more, with sinks among some keys alone
  run<T>(c, f);
}

template <class T>
void print(const findings& f) {
  const auto line = [](const char* what, const record& most) {
    std::printf("  %-10s largest error %.1e, at most %3.0f %% of its bound (seed %u)\n", what, most.error,
                100 * most.share, most.seed);
  };
  std::printf("%s: %zu cases, %zu sinks; %zu sinks and %zu rows within rounding of a threshold\n",
              rounding<T>::name, f.cases, f.sinks, f.sinks_on_the_edge, f.rows_on_the_edge);
  line("map", f.map);
  line("decoded", f.decoded);
  line("fused", f.fused);
  line("corrected", f.corrected);
  line("stepped", f.stepped);
  line("scores", f.scores);
}

}  // namespace

int main(int count, char** arguments) {
  const unsigned long cases = count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 10'000;
  const unsigned long first = count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 1;
  findings of_float, of_double, of_float16, of_bfloat16;
  const auto start = std::chrono::steady_clock::now();
  for (unsigned long seed = first; seed < first + cases; ++seed) {
    const auto number = static_cast<unsigned>(seed);
    switch (number / 8 % 4) {
      case 0:
        run<float>(number, of_float);
        break;
      case 1:
        run<double>(number, of_double);
        break;
      case 2:
        run<act::float16>(number, of_float16);
        break;
      default:
        run<act::bfloat16>(number, of_bfloat16);
        break;
    }
    if ((seed - first + 1) % 1000 == 0) {
      const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
      std::printf("%lu cases, %.0f s\n", seed - first + 1, time.count());
      std::fflush(stdout);
    }
  }
  print<float>(of_float);
  print<double>(of_double);
  print<act::float16>(of_float16);
  print<act::bfloat16>(of_bfloat16);
  const std::size_t failed = of_float.failed + of_double.failed + of_float16.failed + of_bfloat16.failed;
  std::printf("%lu cases, %zu failures\n", cases, failed);
  return failed == 0 ? 0 : 1;
}
