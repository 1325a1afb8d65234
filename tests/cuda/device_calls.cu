// The public calls on a real device; see there.hpp and real_device.hpp.
#include <act/cuda/calibrate.cuh>

#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <vector>

#include "cuda/real_device.hpp"
#include "cuda/there.hpp"

namespace act_test {
namespace {

using act::cuda::status;

void demand(cudaError_t answer, const char* what) {
  if (answer == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(answer));
  std::abort();
}

/// An array of the host's on the device. Lies there as it lies here, modulo 64 bytes, between guards of NaN
/// patterns.
template <class T>
class mirrored {
 public:
  mirrored(T* host, std::size_t count) : host_(host), bytes_(host == nullptr ? 0 : count * sizeof(T)) {
    if (host == nullptr) return;
    offset_ = 64 + reinterpret_cast<std::uintptr_t>(host) % 64;
    demand(cudaMalloc(&memory_, offset_ + bytes_ + 64), "cudaMalloc");
    demand(cudaMemset(memory_, 0xff, offset_ + bytes_ + 64), "cudaMemset");
    demand(cudaMemcpy(memory_ + offset_, host, bytes_, cudaMemcpyHostToDevice), "upload");
  }
  mirrored(const mirrored&) = delete;
  mirrored& operator=(const mirrored&) = delete;
  ~mirrored() { cudaFree(memory_); }

  [[nodiscard]] T* data() const {
    return memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + offset_);
  }
  /// A pointer into the host's array, moved into this one.
  template <class Inner>
  [[nodiscard]] Inner* at(Inner* host) const {
    return data() + (host - host_);
  }
  void download() const {
    if (memory_ == nullptr) return;
    demand(cudaMemcpy(const_cast<std::remove_const_t<T>*>(host_), data(), bytes_, cudaMemcpyDeviceToHost),
           "download");
    std::vector<unsigned char> edges(offset_ + 64);
    demand(cudaMemcpy(edges.data(), memory_, offset_, cudaMemcpyDeviceToHost), "guards");
    demand(cudaMemcpy(edges.data() + offset_, memory_ + offset_ + bytes_, 64, cudaMemcpyDeviceToHost),
           "guards");
    for (const unsigned char each : edges) {
      if (each == 0xff) continue;
      std::fprintf(stderr, "a kernel wrote outside of its memory\n");
      std::abort();
    }
  }

 private:
  T* host_;
  std::size_t bytes_, offset_ = 0;
  char* memory_ = nullptr;
};

/// Runs what `call` enqueues, directly or (odd seeds) from a graph that is captured first.
template <class Call>
status run(unsigned seed, Call&& call) {
  cudaStream_t stream;
  demand(cudaStreamCreate(&stream), "cudaStreamCreate");
  status answer;
  if (seed % 2 == 0) {
    answer = call(stream);
  } else {
    cudaGraph_t graph;
    cudaGraphExec_t ready;
    demand(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "capture");
    answer = call(stream);
    demand(cudaStreamEndCapture(stream, &graph), "capture");
    demand(cudaGraphInstantiate(&ready, graph, 0), "cudaGraphInstantiate");
    demand(cudaGraphLaunch(ready, stream), "cudaGraphLaunch");
    demand(cudaStreamSynchronize(stream), "a kernel in a graph");
    demand(cudaGraphExecDestroy(ready), "cudaGraphExecDestroy");
    demand(cudaGraphDestroy(graph), "cudaGraphDestroy");
  }
  demand(cudaStreamSynchronize(stream), "a kernel");
  demand(cudaStreamDestroy(stream), "cudaStreamDestroy");
  return answer;
}

/// The arrays of a report, as far as they are wanted.
class mirrored_report {
 public:
  mirrored_report(const act::cuda::report& host, std::size_t heads, std::size_t keys)
      : scores_(host.scores, heads * keys),
        counts_(host.sink_counts, heads),
        positions_(host.sink_positions, heads * keys),
        moved_(host.moved_mass, heads) {}
  [[nodiscard]] act::cuda::report there() const {
    return {scores_.data(), counts_.data(), positions_.data(), moved_.data()};
  }
  void download() const {
    scores_.download();
    counts_.download();
    positions_.download();
    moved_.download();
  }

 private:
  mirrored<double> scores_;
  mirrored<std::int32_t> counts_, positions_;
  mirrored<double> moved_;
};

class device_memory {
 public:
  explicit device_memory(std::size_t bytes) {
    demand(cudaMalloc(&memory_, bytes + 1), "cudaMalloc");
    demand(cudaMemset(memory_, 0xff, bytes + 1), "cudaMemset");
  }
  device_memory(const device_memory&) = delete;
  device_memory& operator=(const device_memory&) = delete;
  ~device_memory() { cudaFree(memory_); }
  [[nodiscard]] void* data() const { return memory_; }

 private:
  void* memory_ = nullptr;
};

template <class T>
std::size_t elements(const act::cuda::head_tensor<T>& tensor) {
  return tensor.batches * tensor.heads * tensor.tokens * tensor.channels;
}

}  // namespace

std::string missing_device() {
  int count = 0;
  const cudaError_t answer = cudaGetDeviceCount(&count);
  if (answer != cudaSuccess) return cudaGetErrorString(answer);
  return count == 0 ? "no CUDA device" : "";
}

std::string device_name() {
  cudaDeviceProp properties;
  demand(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  return properties.name;
}

bool on_device() {
  return true;
}

template <class T>
status calibrate_there(unsigned seed, std::span<T> all, const act::cuda::attention_map<T>& map,
                       std::span<const std::uint32_t> bits, const act::calibration_options& options,
                       double* carried, const act::cuda::report& wanted,
                       const act::cuda::map_tuning& tuning) {
  const std::size_t heads = map.batches * map.heads;
  const mirrored<T> elements(all.data(), all.size());
  const mirrored<const std::uint32_t> chosen(bits.empty() ? nullptr : bits.data(), bits.size());
  const mirrored<const std::int32_t> first(map.visible.first_key, map.batches);
  const mirrored<double> sums(carried, heads * map.keys);
  const mirrored_report report(wanted, heads, map.keys);
  act::cuda::attention_map<T> there = map;
  there.data = elements.at(map.data);
  there.visible.first_key = first.data();
  const std::size_t bytes = act::cuda::calibrate_workspace(there, options, tuning);
  const device_memory workspace(bytes);
  const status answer = run(seed, [&](cudaStream_t stream) {
    return act::cuda::calibrate(there, {chosen.data()}, options, workspace.data(), bytes, stream,
                                report.there(), sums.data(), tuning);
  });
  elements.download();
  sums.download();
  report.download();
  return answer;
}

template <class T>
status correct_there(unsigned seed, act::cuda::detail::correction_request<T> request,
                     std::span<const std::uint32_t> bits, const act::cuda::report& wanted,
                     const act::cuda::correction_tuning& tuning) {
  const std::size_t heads = request.q.batches * request.q.heads, keys = request.k.tokens;
  const mirrored<T> out(request.out.data, elements(request.out));
  const mirrored<const T> q(request.q.data, elements(request.q)), k(request.k.data, elements(request.k)),
      v(request.v.data, elements(request.v));
  const mirrored<const float> lse(request.log_sum_exp, heads * request.q.tokens);
  const mirrored<const float> slopes(request.attention.slopes, request.q.heads),
      logits(request.attention.sink_logits, request.q.heads);
  const mirrored<const std::uint32_t> chosen(bits.empty() ? nullptr : bits.data(), bits.size());
  const mirrored<const std::int32_t> first(request.attention.visible.first_key, request.q.batches);
  const mirrored<const double> scores(request.scores, heads * keys);
  const mirrored<double> carried(request.carried_sums, heads * keys);
  const mirrored_report report(wanted, heads, keys);
  request.out.data = out.data();
  request.q.data = q.data();
  request.k.data = k.data();
  request.v.data = v.data();
  request.attention.slopes = slopes.data();
  request.attention.sink_logits = logits.data();
  request.attention.visible.first_key = first.data();
  const std::size_t bytes = act::cuda::correction_workspace(request.q, request.k, request.calibration,
                                                            request.scores != nullptr, tuning);
  const device_memory workspace(bytes);
  const status answer = run(seed, [&](cudaStream_t stream) {
    return act::cuda::correct_output(request.out, lse.data(), request.q, request.k, request.v,
                                     {chosen.data()}, request.calibration, request.attention,
                                     workspace.data(), bytes, stream, scores.data(), report.there(),
                                     carried.data(), tuning);
  });
  out.download();
  carried.download();
  report.download();
  return answer;
}

status start_there(unsigned seed, const act::cuda::tracker_state& state, const double* sums,
                   std::size_t stride, const act::cuda::visibility& visible, std::size_t queries,
                   std::span<const std::uint32_t> bits, const act::calibration_options& options) {
  const std::size_t bytes =
      act::cuda::tracker_size(state.batches, state.heads, state.capacity, options.sinks);
  const mirrored<char> memory(static_cast<char*>(state.memory), bytes);
  const mirrored<const double> from(sums, state.batches * state.heads * stride);
  const mirrored<const std::uint32_t> chosen(bits.data(), bits.size());
  const mirrored<const std::int32_t> first(visible.first_key, state.batches);
  act::cuda::tracker_state there = state;
  there.memory = memory.data();
  const act::cuda::visibility seen{visible.query_offset, first.data(), visible.window};
  const status answer = run(seed, [&](cudaStream_t stream) {
    return act::cuda::start_tracker(there, from.data(), stride, seen, queries, {chosen.data()}, options,
                                    stream);
  });
  memory.download();
  return answer;
}

template <class T>
status step_there(unsigned seed, const act::cuda::tracker_state& state,
                  const act::cuda::attention_map<T>& rows, const std::int32_t* lengths,
                  std::span<const std::uint32_t> bits, const act::calibration_options& options,
                  double* moved) {
  const std::size_t bytes =
      act::cuda::tracker_size(state.batches, state.heads, state.capacity, options.sinks);
  const mirrored<char> memory(static_cast<char*>(state.memory), bytes);
  const mirrored<T> elements(rows.data, rows.batches * rows.heads * rows.keys);
  const mirrored<const std::int32_t> now(lengths, rows.batches), first(rows.visible.first_key, rows.batches);
  const mirrored<const std::uint32_t> chosen(bits.data(), bits.size());
  const mirrored<double> mass(moved, rows.batches * rows.heads);
  act::cuda::tracker_state there = state;
  there.memory = memory.data();
  act::cuda::attention_map<T> map = rows;
  map.data = elements.data();
  map.visible.first_key = first.data();
  const status answer = run(seed, [&](cudaStream_t stream) {
    return act::cuda::step_tracker(there, map, now.data(), {chosen.data()}, options, stream, mass.data());
  });
  memory.download();
  elements.download();
  mass.download();
  return answer;
}

#define ACT_TEST_FOR(T)                                                                                \
  template status calibrate_there<T>(unsigned, std::span<T>, const act::cuda::attention_map<T>&,       \
                                     std::span<const std::uint32_t>, const act::calibration_options&,  \
                                     double*, const act::cuda::report&, const act::cuda::map_tuning&); \
  template status correct_there<T>(unsigned, act::cuda::detail::correction_request<T>,                 \
                                   std::span<const std::uint32_t>, const act::cuda::report&,           \
                                   const act::cuda::correction_tuning&);                               \
  template status step_there<T>(unsigned, const act::cuda::tracker_state&,                             \
                                const act::cuda::attention_map<T>&, const std::int32_t*,               \
                                std::span<const std::uint32_t>, const act::calibration_options&, double*);
ACT_TEST_FOR(float)
ACT_TEST_FOR(act::float16)
ACT_TEST_FOR(act::bfloat16)
#undef ACT_TEST_FOR

}  // namespace act_test
