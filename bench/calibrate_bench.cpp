// Calibration of a materialised map, beside what moving that map costs at least.
//
// Every benchmark reports map bytes a second: heads * n * n * sizeof(T) over the time of a call, whatever
// part of the map it really touches, so that the rows of a table compare directly. Baselines in the same run:
//   copy    the map copied to another buffer (memcpy)
//   sweep   the whole map read once (summed), then read and multiplied in place: the traffic of a calibration
//   that
//           saves nothing
// Maps are causal with softmaxed rows. Sinks are `few`, or `real`: sink_profiles/. beta is 1 - 1e-6, so that
// the map that one call leaves is as good as new for the next; the arithmetic is the same.
#include <act/calibrate.hpp>
#include <act/half.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstring>
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
tensor_memory<T> causal_map(std::size_t n, sink_profile profile) {
  const auto sinks = act_bench::sink_positions(profile, n, heads);
  tensor_memory<T> map(heads * n * n);
  for (std::size_t h = 0; h < heads; ++h) {
    std::vector<float> draw(n, 1.0F);
    for (const std::size_t sink : sinks[h])
      draw[sink] = static_cast<float>(act_bench::sink_weight(profile, n, sinks[h].size()));
    for (std::size_t i = 0; i < n; ++i) {
      T* const row = map.data() + (h * n + i) * n;
      float sum = 0;
      for (std::size_t j = 0; j <= i; ++j)
        sum += draw[j];
      for (std::size_t j = 0; j <= i; ++j)
        row[j] = static_cast<T>(draw[j] / sum);
    }
  }
  return map;
}

void count_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

template <class T, class Arch>
void calibrate(benchmark::State& state, std::size_t n, sink_profile profile, std::size_t threads) {
  act::set_thread_count(threads);
  tensor_memory<T> data = causal_map<T>(n, profile);
  const auto map = act::attention_span<T>::packed(data.data(), 1, heads, n, n);
  const act::calibration_options options{.sinks = act_bench::sink_rule_of(profile), .beta = 1 - 1e-6};
  act::calibration_workspace workspace;
  act::calibration_report report;
  for (auto _ : state) {
    act::calibrate<T, Arch>(map, act::layer_heads::all(), options, workspace, report);
    benchmark::ClobberMemory();
  }
  count_bytes(state, data.size() * sizeof(T));
  double sinks = 0;
  for (const act::head_report& each : report.heads)
    sinks += static_cast<double>(each.sinks.size());
  state.counters["sinks/head"] = sinks / static_cast<double>(heads);
}

template <class T>
void copy(benchmark::State& state, std::size_t n, std::size_t threads) {
  act::set_thread_count(threads);
  const tensor_memory<T> from = causal_map<T>(n, sink_profile::few);
  tensor_memory<T> to(from.size());
  for (auto _ : state) {
    act::parallel_for(heads, [&](std::size_t h) noexcept {
      std::memcpy(to.data() + h * n * n, from.data() + h * n * n, n * n * sizeof(T));
    });
    benchmark::ClobberMemory();
  }
  count_bytes(state, from.size() * sizeof(T));
}

template <class T>
void sweep(benchmark::State& state, std::size_t n, std::size_t threads) {
  act::set_thread_count(threads);
  using kernel = act::detail::row_kernel<T, act::simd::default_arch>;
  tensor_memory<T> data = causal_map<T>(n, sink_profile::few);
  std::vector<double> sums(heads);
  for (auto _ : state) {
    act::parallel_for(heads, [&](std::size_t h) noexcept {
      T* const map = data.data() + h * n * n;
      sums[h] = kernel::sum(map, n * n);
      kernel::scale(map, n * n, static_cast<act::accumulator_t<T>>(1 + 1e-6));
    });
    benchmark::DoNotOptimize(sums.data());
    benchmark::ClobberMemory();
  }
  count_bytes(state, data.size() * sizeof(T));
}

template <class T>
void register_type(const std::string& type, std::size_t threads) {
  for (const std::size_t n : {128UL, 512UL, 1024UL, 2048UL}) {
    const std::string shape =
        "/" + type + "/heads:32/n:" + std::to_string(n) + "/threads:" + std::to_string(threads);
    const auto add = [&](const std::string& name, auto run) {
      benchmark::RegisterBenchmark((name + shape).c_str(), run)->UseRealTime()->Unit(benchmark::kMillisecond);
    };
    add("copy", [=](benchmark::State& s) { copy<T>(s, n, threads); });
    add("sweep", [=](benchmark::State& s) { sweep<T>(s, n, threads); });
    add("calibrate/few/simd", [=](benchmark::State& s) {
      calibrate<T, act::simd::default_arch>(s, n, sink_profile::few, threads);
    });
    add("calibrate/real/simd", [=](benchmark::State& s) {
      calibrate<T, act::simd::default_arch>(s, n, sink_profile::real, threads);
    });
    if (n <= 512)
      add("calibrate/few/scalar",
          [=](benchmark::State& s) { calibrate<T, act::simd::scalar>(s, n, sink_profile::few, threads); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (std::size_t threads = 1; threads <= act::thread_count(); threads *= 2) {
    register_type<float>("f32", threads);
    register_type<double>("f64", threads);
    register_type<act::bfloat16>("bf16", threads);
    register_type<act::float16>("f16", threads);
  }
  act_bench::describe_build();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
