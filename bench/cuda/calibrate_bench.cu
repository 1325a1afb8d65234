// Speed of the CUDA headers on the device at hand, beside its own copy rate in the same run. For
// `bench/README.md`'s tables; it stands alone:
//   nvcc -std=c++20 -O3 -arch=native -Iinclude bench/cuda/calibrate_bench.cu -o calibrate_bench &&
//   ./calibrate_bench
//
// Before each timed call the map is copied anew from a kept one: calibrating what is calibrated already would
// find no sinks. That copy is timed too, and is the copy rate. A rate is bytes read and written once (of a
// map: of its visible triangle) over the median time; `share` is that rate over the copy's. Column sums and
// rescaling in one sweep of memory give a share near 1; a map that is read twice from memory, near 2 / 3. The
// rescaling's time is the whole's less that of column sums alone.
#include <act/cuda/calibrate.cuh>

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

namespace {

void demand(cudaError_t answer, const char* what) {
  if (answer == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(answer));
  std::exit(1);
}
void demand(act::cuda::status answer) {
  if (answer == act::cuda::status::ok) return;
  std::fprintf(stderr, "act: %s\n", act::cuda::describe(answer));
  std::exit(1);
}

template <class T>
class device_array {
 public:
  explicit device_array(std::size_t count) : count_(count) {
    demand(cudaMalloc(&data_, count * sizeof(T)), "cudaMalloc");
    demand(cudaMemset(data_, 0, count * sizeof(T)), "cudaMemset");
  }
  device_array(const device_array&) = delete;
  device_array& operator=(const device_array&) = delete;
  ~device_array() { cudaFree(data_); }
  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::size_t bytes() const { return count_ * sizeof(T); }

 private:
  T* data_ = nullptr;
  std::size_t count_;
};

__device__ float noise(std::size_t at) {
  std::uint64_t x = at * 0x9e3779b97f4a7c15ULL;
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 32;
  return static_cast<float>(x & 0xffffffU) * 0x1p-24F;
}

/// Softmax-like rows: noise, and four keys of a head with forty times the weight.
template <class T>
__global__ void fill_rows(T* map, int keys) {
  const std::size_t row = blockIdx.x;
  const int seen = static_cast<int>(row % static_cast<std::size_t>(keys)) + 1;
  T* const to = map + row * static_cast<std::size_t>(keys);
  const auto weight = [&](int j) {
    const bool strong = j % (keys / 4) == keys / 9;
    return (noise(row * static_cast<std::size_t>(keys) + static_cast<std::size_t>(j)) + 0.1F) *
           (strong ? 40.0F : 1.0F);
  };
  __shared__ float sums[256];
  float sum = 0;
  for (int j = static_cast<int>(threadIdx.x); j < seen; j += 256)
    sum += weight(j);
  sums[threadIdx.x] = sum;
  __syncthreads();
  float total = 0;
  for (int t = 0; t < 256; ++t)
    total += sums[t];
  for (int j = static_cast<int>(threadIdx.x); j < keys; j += 256)
    to[j] = static_cast<T>(j < seen ? weight(j) / total : 0.0F);
}

template <class T>
__global__ void fill_noise(T* to, std::size_t count, float spread) {
  for (std::size_t e = blockIdx.x * std::size_t{256} + threadIdx.x; e < count;
       e += gridDim.x * std::size_t{256})
    to[e] = static_cast<T>((noise(e) - 0.5F) * spread);
}

/// Keeps the device busy for a while: what is enqueued meanwhile runs without gaps.
__global__ void hold(unsigned long long nanoseconds) {
  unsigned long long start = 0, now = 0;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(start));
  do {
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  } while (now - start < nanoseconds);
}

double median(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

constexpr int warm_ups = 3, repetitions = 21;

/// Median seconds of prepare(stream) and work(stream), alternating. Everything of a repetition is enqueued
/// behind hold(), the work as a captured graph: what the processor needs for its calls isn't in the times.
template <class Prepare, class Work>
std::pair<double, double> measure(Prepare&& prepare, Work&& work) {
  cudaStream_t stream = nullptr;
  demand(cudaStreamCreate(&stream), "cudaStreamCreate");
  cudaEvent_t events[3] = {};
  for (cudaEvent_t& each : events)
    demand(cudaEventCreate(&each), "cudaEventCreate");
  work(stream);  // once outside of a capture: loads the kernels
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t ready = nullptr;
  demand(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "capture");
  work(stream);
  demand(cudaStreamEndCapture(stream, &graph), "capture");
  demand(cudaGraphInstantiate(&ready, graph, 0), "cudaGraphInstantiate");
  std::vector<double> preparing, working;
  for (int r = 0; r < warm_ups + repetitions; ++r) {
    hold<<<1, 1, 0, stream>>>(200'000);
    demand(cudaEventRecord(events[0], stream), "cudaEventRecord");
    prepare(stream);
    demand(cudaEventRecord(events[1], stream), "cudaEventRecord");
    demand(cudaGraphLaunch(ready, stream), "cudaGraphLaunch");
    demand(cudaEventRecord(events[2], stream), "cudaEventRecord");
    demand(cudaStreamSynchronize(stream), "a kernel");
    if (r < warm_ups) continue;
    const auto seconds = [&](int from) {
      float milliseconds = 0;
      demand(cudaEventElapsedTime(&milliseconds, events[from], events[from + 1]), "cudaEventElapsedTime");
      return static_cast<double>(milliseconds) * 1e-3;
    };
    preparing.push_back(seconds(0));
    working.push_back(seconds(1));
  }
  demand(cudaGraphExecDestroy(ready), "cudaGraphExecDestroy");
  demand(cudaGraphDestroy(graph), "cudaGraphDestroy");
  for (cudaEvent_t each : events)
    demand(cudaEventDestroy(each), "cudaEventDestroy");
  demand(cudaStreamDestroy(stream), "cudaStreamDestroy");
  return {median(preparing), median(working)};
}

template <class T>
void bench_map(const char* type, std::size_t n, const act::cuda::map_tuning& tuning) {
  const std::size_t heads = std::max<std::size_t>(1, (std::size_t{1} << 30) / (n * n * sizeof(T)));
  device_array<T> kept(heads * n * n), work(heads * n * n);
  fill_rows<<<static_cast<unsigned>(heads * n), 256>>>(kept.data(), static_cast<int>(n));
  demand(cudaDeviceSynchronize(), "filling a map");
  const auto map = act::cuda::attention_map<T>::packed(work.data(), 1, heads, n, n);
  device_array<char> workspace(act::cuda::calibrate_workspace(map, {}, tuning));
  device_array<double> moved(heads);
  device_array<std::int32_t> counts(heads);
  const auto copy = [&](cudaStream_t stream) {
    demand(cudaMemcpyAsync(work.data(), kept.data(), kept.bytes(), cudaMemcpyDeviceToDevice, stream), "copy");
  };
  const auto calibrate = [&](double beta) {
    return [&, beta](cudaStream_t stream) {
      demand(act::cuda::calibrate(map, {}, {.beta = beta}, workspace.data(), workspace.bytes(), stream,
                                  {.sink_counts = counts.data(), .moved_mass = moved.data()}, nullptr,
                                  tuning));
    };
  };
  const auto [copying, whole] = measure(copy, calibrate(0.4));
  std::vector<std::int32_t> sinks(heads);
  std::vector<double> mass(heads);
  demand(cudaMemcpy(sinks.data(), counts.data(), counts.bytes(), cudaMemcpyDeviceToHost), "download");
  demand(cudaMemcpy(mass.data(), moved.data(), moved.bytes(), cudaMemcpyDeviceToHost), "download");
  const auto [again, sums] = measure(copy, calibrate(1));
  const double visible = static_cast<double>(heads * n * (n + 1) / 2 * sizeof(T));
  const double copy_rate = 2 * static_cast<double>(kept.bytes()) / copying * 1e-9;
  const double rate = 2 * visible / whole * 1e-9, sum_rate = visible / sums * 1e-9;
  const double rescale_rate = 2 * visible / (whole - sums) * 1e-9;
  std::printf("| %s | %zu | %zu | %.0f | %.0f | %.0f %% | %.0f | %.0f %% | %.0f %% | %d | %.1f |\n", type, n,
              heads, copy_rate, rate, 100 * rate / copy_rate, sum_rate, 100 * sum_rate / copy_rate,
              100 * rescale_rate / copy_rate, sinks[0], mass[0]);
  static_cast<void>(again);
}

void bench_correction(std::size_t n, std::size_t channels, bool scores_given) {
  constexpr std::size_t heads = 32, kv_heads = 8;
  device_array<__half> q(heads * n * channels), k(kv_heads * n * channels), v(kv_heads * n * channels),
      out(heads * n * channels), kept(heads * n * channels);
  device_array<float> lse(heads * n);
  for (const auto* each : {&q, &k, &v, &kept})
    fill_noise<<<1024, 256>>>(each->data(), each->bytes() / sizeof(__half), 2.0F);
  // Any numbers do for the time: with scores, every row that sees a sink is corrected.
  std::vector<float> every(heads * n);
  for (std::size_t e = 0; e < every.size(); ++e)
    every[e] = 10;
  demand(cudaMemcpy(lse.data(), every.data(), lse.bytes(), cudaMemcpyHostToDevice), "upload");
  std::vector<double> given(heads * n, 0.0);
  for (std::size_t h = 0; h < heads; ++h) {
    for (std::size_t s = 1; s <= 4; ++s)
      given[h * n + s * n / 8 + h % 3] = 0.5;
  }
  device_array<double> scores(heads * n);
  demand(cudaMemcpy(scores.data(), given.data(), scores.bytes(), cudaMemcpyHostToDevice), "upload");
  const auto of = [&](const device_array<__half>& tensor, std::size_t its_heads) {
    return act::cuda::head_tensor<__half>::packed(tensor.data(), 1, its_heads, n, channels);
  };
  const auto queries = of(q, heads), keys = of(k, kv_heads);
  device_array<char> workspace(act::cuda::correction_workspace(queries, keys, {}, scores_given));
  const auto [copying, correcting] = measure(
      [&](cudaStream_t stream) {
        demand(cudaMemcpyAsync(out.data(), kept.data(), kept.bytes(), cudaMemcpyDeviceToDevice, stream),
               "copy");
      },
      [&](cudaStream_t stream) {
        demand(act::cuda::correct_output(of(out, heads), lse.data(), queries, keys, of(v, kv_heads), {}, {},
                                         {}, workspace.data(), workspace.bytes(), stream,
                                         scores_given ? scores.data() : nullptr));
      });
  static_cast<void>(copying);
  const double bytes = 3 * static_cast<double>(q.bytes());  // queries and outputs read, outputs written
  std::printf("| %zu | %zu | %s | %.1f | %.0f |\n", n, channels,
              scores_given ? "given, 4 a head" : "second pass", correcting * 1e6, bytes / correcting * 1e-9);
}

void bench_tracker(std::size_t batches, std::size_t keys) {
  constexpr std::size_t heads = 32;
  device_array<__half> rows(batches * heads * keys), kept(batches * heads * keys);
  fill_noise<<<1024, 256>>>(kept.data(), batches * heads * keys, 1.0F / static_cast<float>(keys));
  device_array<char> memory(act::cuda::tracker_size(batches, heads, keys));
  const std::vector<std::int32_t> every(batches, static_cast<std::int32_t>(keys));
  device_array<std::int32_t> lengths(batches);
  demand(cudaMemcpy(lengths.data(), every.data(), lengths.bytes(), cudaMemcpyHostToDevice), "upload");
  const auto map = act::cuda::attention_map<__half>::packed(rows.data(), batches, heads, 1, keys);
  const auto [copying, step] = measure(
      [&](cudaStream_t stream) {
        demand(cudaMemcpyAsync(rows.data(), kept.data(), kept.bytes(), cudaMemcpyDeviceToDevice, stream),
               "copy");
      },
      [&](cudaStream_t stream) {
        demand(act::cuda::step_tracker({memory.data(), batches, heads, keys}, map, lengths.data(), {}, {},
                                       stream));
      });
  static_cast<void>(copying);
  const double bytes =
      static_cast<double>(batches * heads * keys) * (2 + 16 + 4);  // without rows that change
  std::printf("| %zu | %zu | %.1f | %.0f |\n", batches, keys, step * 1e6, bytes / step * 1e-9);
}

}  // namespace

int main(int count, char** arguments) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::printf("[skipped] no CUDA device: nothing was measured\n");
    return 0;
  }
  act::cuda::map_tuning tuning;
  if (count > 1) tuning.lag_bytes = std::strtoull(arguments[1], nullptr, 10) << 20;
  if (count > 2) tuning.rows_per_chunk = std::atoi(arguments[2]);
  if (count > 3) tuning.threads = std::atoi(arguments[3]);
  cudaDeviceProp properties;
  demand(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  int runtime = 0;
  demand(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  std::printf("%s, %d multiprocessors, %d MB second-level cache, CUDA %d.%d\n", properties.name,
              properties.multiProcessorCount, properties.l2CacheSize >> 20, runtime / 1000,
              runtime % 1000 / 10);
  std::printf(
      "tuning: lag %zu MB (0: two fifths of the cache), %d rows a chunk, %d threads a block (0: by N; "
      "arguments: "
      "LAG_MB ROWS THREADS)\n\n",
      tuning.lag_bytes >> 20, tuning.rows_per_chunk, tuning.threads);
  std::printf(
      "| type | N | heads | copy GB/s | calibrate GB/s | share | column sums GB/s | share | rescaling's "
      "share | "
      "sinks | moved |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const std::size_t n : {512U, 1024U, 2048U, 4096U, 8192U}) {
    bench_map<float>("float", n, tuning);
    bench_map<__half>("half", n, tuning);
  }
  std::printf(
      "\nOutput correction, half, 32 heads, 8 of keys and values:\n| N | channels | scores | us | GB/s |\n"
      "|---|---|---|---|---|\n");
  for (const std::size_t n : {1024U, 4096U, 16384U}) {
    bench_correction(n, 128, true);
    bench_correction(n, 64, true);
  }
  bench_correction(4096, 128, false);
  std::printf("\nTracker, half, 32 heads:\n| sequences | keys | us a step | GB/s |\n|---|---|---|---|\n");
  for (const std::size_t batches : {1U, 16U, 64U})
    bench_tracker(batches, 4096);
  return 0;
}
