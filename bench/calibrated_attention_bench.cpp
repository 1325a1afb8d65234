// Fused attention from Q, K and V, plain and calibrated: what calibration adds to the same kernel.
//
// items/s are floating-point operations: 4 * channels for each visible (query, key) pair, the causal half
// only, as attention kernels are usually quoted. Baseline in the same run: `plain`, the same kernel with no
// head chosen. Sinks are `few`, or `real`: sink_profiles/. `correct` is correct_output alone, for an engine
// with a kernel of its own: `given`, with column scores from that kernel, `found`, with a second pass over Q
// and K for them; items/s are those of the attention that it follows. Its beta is 1 - 1e-6, so that outputs
// that one call leaves are as good as new for the next; the arithmetic is the same.
#include <act/calibrated_attention.hpp>
#include <act/correct_output.hpp>
#include <act/half.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "machine.hpp"
#include "sink_profiles/sink_profile.hpp"

namespace {

using act_bench::sink_profile;
using act_bench::tensor_memory;

constexpr std::size_t all_heads = 32;

template <class T>
tensor_memory<T> normal_numbers(std::size_t count, double spread, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, static_cast<float>(spread));
  tensor_memory<T> numbers(count);
  for (T& each : numbers)
    each = T(normal(random));
  return numbers;
}

/// Q, K and V of some heads, with the sinks of a profile.
template <class T>
struct attention_inputs {
  std::size_t heads, n, channels;
  tensor_memory<T> q, k, v, out;

  attention_inputs(std::size_t head_count, std::size_t tokens, std::size_t head_size, sink_profile profile)
      : heads(head_count),
        n(tokens),
        channels(head_size),
        q(normal_numbers<T>(heads * n * channels, 0.5, 1)),
        k(normal_numbers<T>(heads * n * channels, 0.5, 2)),
        v(normal_numbers<T>(heads * n * channels, 1, 3)),
        out(heads * n * channels) {
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
  }
  [[nodiscard]] act::head_tensor<const T> inputs(const tensor_memory<T>& data) const {
    return act::head_tensor<const T>::packed(data.data(), 1, heads, n, channels);
  }
  [[nodiscard]] act::head_tensor<T> output() {
    return act::head_tensor<T>::packed(out.data(), 1, heads, n, channels);
  }
};

void count(benchmark::State& state, std::size_t heads, std::size_t n, std::size_t channels,
           const act::calibration_report& report) {
  const std::size_t operations = 4 * channels * heads * n * (n + 1) / 2;
  state.SetItemsProcessed(static_cast<std::int64_t>(operations) * state.iterations());
  double found = 0;
  for (const act::head_report& each : report.heads)
    found += static_cast<double>(each.sinks.size());
  state.counters["sinks/head"] = found / static_cast<double>(heads);
}

template <class T>
void attend(benchmark::State& state, std::size_t heads, std::size_t n, std::size_t channels,
            sink_profile profile, bool calibrated, std::size_t threads) {
  act::set_thread_count(threads);
  attention_inputs<T> x(heads, n, channels, profile);
  act::attention_workspace<act::accumulator_t<T>> workspace;
  act::calibration_report report;
  const act::layer_heads chosen = calibrated ? act::layer_heads::all() : act::layer_heads{};
  for (auto _ : state) {
    act::calibrated_attention<T>(x.inputs(x.q), x.inputs(x.k), x.inputs(x.v), x.output(), chosen,
                                 {.sinks = act_bench::sink_rule_of(profile)}, {}, workspace, report);
    benchmark::ClobberMemory();
  }
  count(state, heads, n, channels, report);
  state.counters["workspace"] = static_cast<double>(workspace.bytes());
}

/// Log-sum-exps and column scores of all rows, as an engine's kernel would bring them.
void statistics(const attention_inputs<float>& x, std::vector<float>& lse, std::vector<double>& scores) {
  std::vector<float> row(x.n);
  const auto dot = [&](const float* left, const float* right) {
    float sum = 0;
    for (std::size_t c = 0; c < x.channels; ++c)
      sum += left[c] * right[c];
    return sum / std::sqrt(static_cast<float>(x.channels));
  };
  for (std::size_t h = 0; h < x.heads; ++h) {
    for (std::size_t i = 0; i < x.n; ++i) {
      float total = 0;
      for (std::size_t j = 0; j <= i; ++j) {
        row[j] = std::exp(dot(&x.q[(h * x.n + i) * x.channels], &x.k[(h * x.n + j) * x.channels]));
        total += row[j];
      }
      for (std::size_t j = 0; j <= i; ++j)
        scores[h * x.n + j] += static_cast<double>(row[j] / total) / static_cast<double>(x.n - j);
      lse[h * x.n + i] = std::log(total);
    }
  }
}

void correct(benchmark::State& state, std::size_t n, std::size_t channels, sink_profile profile, bool given,
             std::size_t threads) {
  act::set_thread_count(threads);
  attention_inputs<float> x(all_heads, n, channels, profile);
  std::vector<float> lse(all_heads * n);
  std::vector<double> scores(all_heads * n, 0.0);
  statistics(x, lse, scores);
  act::calibrated_attention<float>(x.inputs(x.q), x.inputs(x.k), x.inputs(x.v), x.output(), {});
  const act::calibration_options options{.sinks = act_bench::sink_rule_of(profile), .beta = 1 - 1e-6};
  act::calibration_report report;
  for (auto _ : state) {
    report = act::correct_output(x.output(), std::span<const float>(lse), x.inputs(x.q), x.inputs(x.k),
                                 x.inputs(x.v), act::layer_heads::all(), options, {},
                                 given ? std::span<const double>(scores) : std::span<const double>{});
    benchmark::ClobberMemory();
  }
  count(state, all_heads, n, channels, report);
}

template <class T>
void register_type(const std::string& type, std::size_t channels, std::size_t threads) {
  for (const std::size_t n : {128UL, 512UL, 1024UL, 2048UL, 4096UL, 8192UL}) {
    const std::string shape = "/" + type + "/heads:32/d:" + std::to_string(channels) +
                              "/n:" + std::to_string(n) + "/threads:" + std::to_string(threads);
    const auto add = [&](const std::string& name, sink_profile profile, bool calibrated) {
      benchmark::RegisterBenchmark(
          ("attention/" + name + shape).c_str(),
          [=](benchmark::State& s) { attend<T>(s, all_heads, n, channels, profile, calibrated, threads); })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    };
    add("plain", sink_profile::few, false);
    add("few", sink_profile::few, true);
    if (act_bench::is_recorded(n)) add("real", sink_profile::real, true);
  }
}

/// One head of a long prompt: how time and memory grow.
void register_long(std::size_t channels) {
  for (const std::size_t n : {8192UL, 16384UL, 32768UL, 65536UL}) {
    benchmark::RegisterBenchmark(
        ("attention/few/f32/heads:1/d:" + std::to_string(channels) + "/n:" + std::to_string(n) + "/threads:1")
            .c_str(),
        [=](benchmark::State& s) { attend<float>(s, 1, n, channels, sink_profile::few, true, 1); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
}

void register_correction(std::size_t channels, std::size_t threads) {
  for (const std::size_t n : act_bench::recorded_lengths) {
    for (const sink_profile profile : {sink_profile::few, sink_profile::real}) {
      for (const bool given : {true, false}) {
        benchmark::RegisterBenchmark(
            (std::string("correct/") + (profile == sink_profile::few ? "few" : "real") +
             (given ? "/given" : "/found") + "/f32/heads:32/d:" + std::to_string(channels) +
             "/n:" + std::to_string(n) + "/threads:" + std::to_string(threads))
                .c_str(),
            [=](benchmark::State& s) { correct(s, n, channels, profile, given, threads); })
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
      }
    }
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
    register_correction(64, threads);
  }
  register_long(64);
  act_bench::describe_build();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
