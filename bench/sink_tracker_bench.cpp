// A decoding step of one layer, 32 query heads over a cache of keys and values, plain and calibrated: what
// trackers and the calibration of rows add.
//
// Baseline in the same run, and in the same memory: steps take turns, one plain (decoding_attention with no
// head chosen), one calibrated, because where a cache happens to lie in memory changes a step by more than
// calibration does. The time shown is a calibrated step's; counters are the median steps, and `added` is the
// median of what a calibrated step took more than the plain one before it, in percent of the plain median.
// Caches of all heads together are larger than the processor's, as they are while decoding: 64 MiB at 4,096
// keys with one key/value head a query head. The same 64 steps are decoded again and again.
#include <act/decoding_attention.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "machine.hpp"

namespace {

constexpr std::size_t channels = 64, heads = 32, steps = 64;

double median(std::vector<double> numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

void decode(benchmark::State& state, std::size_t n, std::size_t kv_heads, std::size_t threads) {
  act::set_thread_count(threads);
  const std::size_t keys = n + steps;
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.5F);
  const auto numbers = [&](std::size_t count) {
    std::vector<float> made(count);
    for (float& each : made)
      each = normal(random);
    return made;
  };
  std::vector<float> q = numbers(heads * channels), k = numbers(kv_heads * keys * channels);
  const std::vector<float> v = numbers(kv_heads * keys * channels);
  std::vector<float> out(heads * channels);
  // Three keys of each head draw a tenth of the attention each, as in calibrated_attention_bench.
  for (std::size_t h = 0; h < heads; ++h)
    q[h * channels] = 1;
  for (std::size_t h = 0; h < kv_heads; ++h) {
    for (std::size_t j = 0; j < keys; ++j)
      k[(h * keys + j) * channels] = 0;
    for (const std::size_t key : {n / 16, n / 8, n / 3}) {
      k[(h * keys + key) * channels] = std::log(static_cast<float>(n) / 10) * std::sqrt(float(channels));
    }
  }
  // As if the prompt's rows had been uniform but for the three.
  std::vector<double> sums(n);
  for (std::size_t j = 0; j < n; ++j)
    sums[j] = static_cast<double>(n - j) * 0.7 / static_cast<double>(n);
  for (const std::size_t key : {n / 16, n / 8, n / 3})
    sums[key] = static_cast<double>(n - key) * 0.1;
  act::sink_tracker prompt;
  prompt.start(sums, {}, 0, n);
  std::vector<act::sink_tracker> trackers(heads, prompt);

  act::head_tensor<const float> keys_of{k.data(), 1, kv_heads, keys, channels, 0, keys * channels, channels},
      values_of{v.data(), 1, kv_heads, keys, channels, 0, keys * channels, channels};
  act::attention_workspace<float> workspace;
  const auto seconds = [&](const act::layer_heads& chosen, std::size_t step) {
    keys_of.tokens = values_of.tokens = n + step + 1;
    const auto begin = std::chrono::steady_clock::now();
    act::decoding_attention<float>(act::head_tensor<float>::packed(q.data(), 1, heads, 1, channels), keys_of,
                                   values_of,
                                   act::head_tensor<float>::packed(out.data(), 1, heads, 1, channels), chosen,
                                   trackers, {.visible = {.query_offset = n + step}}, workspace);
    benchmark::ClobberMemory();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  std::vector<double> plain, calibrated, added;
  std::size_t step = 0;
  for (auto _ : state) {
    if (step == steps) {
      trackers.assign(heads, prompt);
      step = 0;
    }
    plain.push_back(seconds({}, step));
    calibrated.push_back(seconds(act::layer_heads::all(), step));
    added.push_back(calibrated.back() - plain.back());
    state.SetIterationTime(calibrated.back());
    ++step;
  }
  state.counters["plain_us"] = median(plain) * 1e6;
  state.counters["calibrated_us"] = median(calibrated) * 1e6;
  state.counters["added_percent"] = 100 * median(added) / median(plain);
  state.SetItemsProcessed(static_cast<std::int64_t>(n * heads) * state.iterations());
  state.counters["sinks/head"] = static_cast<double>(trackers[0].sinks().size());
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (std::size_t threads = 1; threads <= act::thread_count(); threads *= 2) {
    for (const std::size_t kv_heads : {32UL, 8UL}) {
      for (const std::size_t n : {128UL, 1024UL, 4096UL, 16384UL}) {
        const std::string shape = "/f32/heads:32/kv_heads:" + std::to_string(kv_heads) +
                                  "/d:64/n:" + std::to_string(n) + "/threads:" + std::to_string(threads);
        benchmark::RegisterBenchmark(("decode" + shape).c_str(),
                                     [=](benchmark::State& s) { decode(s, n, kv_heads, threads); })
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
  act_bench::describe_build();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
