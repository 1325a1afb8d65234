// A decoding step: what the tracker and the row's calibration add to one head's attention over the cache.
//
// Baseline in the same run: `attention`, one query row over n cached keys and values in plain loops with a
// vectorised dot product. items/s are keys a second. `step` appends and calibrates a row; the sums are
// restored every 256 steps.
#include <act/calibrated_attention.hpp>
#include <act/sink_tracker.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <string>
#include <vector>

#include "machine.hpp"

namespace {

constexpr std::size_t channels = 64;

void attention(benchmark::State& state, std::size_t n) {
  const std::vector<float> q(channels, 0.1F), k(n * channels, 0.1F), v(n * channels, 1.0F);
  std::vector<float> weights(n), out(channels);
  // Plain loops over the cache, as a decoding engine does: one read of keys and one of values.
  for (auto _ : state) {
    using lanes = act::detail::element_lanes<float, act::simd::default_arch>;
    float sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      weights[j] = lanes::dot(q.data(), k.data() + j * channels, channels);
    }
    for (float& each : weights)
      sum += each = std::exp(each);
    std::fill(out.begin(), out.end(), 0.0F);
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t c = 0; c < channels; ++c)
        out[c] += weights[j] * v[j * channels + c];
    }
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(n) * state.iterations());
}

void step(benchmark::State& state, std::size_t n) {
  std::vector<float> row(n + 256, 0.9F / static_cast<float>(n));
  row[17] = row[n / 2] = 0.05F;
  std::vector<double> sums(n);  // as if every row of the prompt had been like this one
  for (std::size_t j = 0; j < n; ++j)
    sums[j] = static_cast<double>(n - j) * static_cast<double>(row[j]);
  act::sink_tracker prompt({.beta = 1 - 1e-6});  // leaves the row as good as new for the next step
  prompt.start(sums, {}, 0, n);
  act::sink_tracker tracker = prompt;
  std::size_t keys = n;
  for (auto _ : state) {
    if (keys == n + 256) {
      tracker = prompt;
      keys = n;
    }
    ++keys;
    benchmark::DoNotOptimize(tracker.calibrate_row(std::span<float>(row).first(keys)));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(n) * state.iterations());
  state.counters["sinks"] = static_cast<double>(tracker.sinks().size());
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const std::size_t n : {128UL, 1024UL, 4096UL, 16384UL}) {
    const std::string shape = "/f32/d:64/n:" + std::to_string(n) + "/threads:1";
    benchmark::RegisterBenchmark(("decode/attention" + shape).c_str(),
                                 [=](benchmark::State& s) { attention(s, n); });
    benchmark::RegisterBenchmark(("decode/step" + shape).c_str(), [=](benchmark::State& s) { step(s, n); });
  }
  act_bench::describe_build();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
