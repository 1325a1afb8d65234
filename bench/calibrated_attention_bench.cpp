// Fused attention from Q, K and V, plain and calibrated: what calibration adds to the same kernel.
//
// items/s are floating-point operations: 4 * channels for each visible (query, key) pair, the causal half
// only, as attention kernels are usually quoted. Baseline in the same run: `plain`, the same kernel with no
// head chosen. Sinks are `few`, or `real`: sink_profiles/.
#include <act/calibrated_attention.hpp>
#include <act/half.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "machine.hpp"
#include "sink_profiles/sink_profile.hpp"

namespace {

using act_bench::sink_profile;
using act_bench::tensor_memory;

constexpr std::size_t heads = 32;

template <class T>
tensor_memory<T> normal_numbers(std::size_t count, double spread, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, static_cast<float>(spread));
  tensor_memory<T> numbers(count);
  for (T& each : numbers)
    each = T(normal(random));
  return numbers;
}

template <class T>
void attend(benchmark::State& state, std::size_t n, std::size_t channels, sink_profile profile,
            bool calibrated, std::size_t threads) {
  act::set_thread_count(threads);
  tensor_memory<T> q = normal_numbers<T>(heads * n * channels, 0.5, 1);
  tensor_memory<T> k = normal_numbers<T>(heads * n * channels, 0.5, 2);
  const tensor_memory<T> v = normal_numbers<T>(heads * n * channels, 1, 3);
  tensor_memory<T> out(heads * n * channels);
  const auto sinks = act_bench::sink_positions(profile, n, heads);
  for (std::size_t h = 0; h < heads; ++h) {
    for (std::size_t i = 0; i < n; ++i) {
      q[(h * n + i) * channels] = T(1);
      k[(h * n + i) * channels] = T(0);
    }
    const double score = std::log(act_bench::sink_weight(profile, n, sinks[h].size())) *
                         std::sqrt(static_cast<double>(channels));
    for (const std::size_t key : sinks[h])
      k[(h * n + key) * channels] = T(score);
  }
  const auto tensor = [&](auto* data) {
    return act::head_tensor<std::remove_pointer_t<decltype(data)>>::packed(data, 1, heads, n, channels);
  };
  act::attention_workspace<act::accumulator_t<T>> workspace;
  act::calibration_report report;
  const act::layer_heads chosen = calibrated ? act::layer_heads::all() : act::layer_heads{};
  for (auto _ : state) {
    act::calibrated_attention<T>(tensor(static_cast<const T*>(q.data())),
                                 tensor(static_cast<const T*>(k.data())), tensor(v.data()),
                                 tensor(out.data()), chosen, {}, {}, workspace, report);
    benchmark::ClobberMemory();
  }
  const std::size_t operations = 4 * channels * heads * n * (n + 1) / 2;
  state.SetItemsProcessed(static_cast<std::int64_t>(operations) * state.iterations());
  double found = 0;
  for (const act::head_report& each : report.heads)
    found += static_cast<double>(each.sinks.size());
  state.counters["sinks/head"] = found / static_cast<double>(heads);
  state.counters["workspace"] = static_cast<double>(workspace.bytes());
}

template <class T>
void register_type(const std::string& type, std::size_t channels, std::size_t threads) {
  for (const std::size_t n : {128UL, 512UL, 1024UL, 2048UL, 4096UL, 8192UL}) {
    const std::string shape = "/" + type + "/heads:32/d:" + std::to_string(channels) +
                              "/n:" + std::to_string(n) + "/threads:" + std::to_string(threads);
    const auto add = [&](const std::string& name, sink_profile profile, bool calibrated) {
      benchmark::RegisterBenchmark(
          ("attention/" + name + shape).c_str(),
          [=](benchmark::State& s) { attend<T>(s, n, channels, profile, calibrated, threads); })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    };
    add("plain", sink_profile::few, false);
    add("few", sink_profile::few, true);
    if (act_bench::is_recorded(n)) add("real", sink_profile::real, true);
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (std::size_t threads = 1; threads <= act::thread_count(); threads *= 2) {
    register_type<float>("f32", 64, threads);
    register_type<float>("f32", 128, threads);
    register_type<act::bfloat16>("bf16", 64, threads);
    register_type<act::float16>("f16", 64, threads);
  }
  act_bench::describe_build();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
