// A matrix product with weights as stored, in each compute type, beside Eigen's product of the same weights
// expanded to float32 beforehand (which a user would otherwise write, and which takes their memory). Shapes
// are SmolLM2's and Llama-2-7B's feed-forward blocks. Counters: GFLOP/s, and bytes of stored weights a
// second.
#include <act/parallel.hpp>
#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/products/kernel_table.hpp>
#include <act/runtime/products/product.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "machine.hpp"

namespace {

using act::runtime::compute_type;
using act::runtime::tensor_type;

struct shape {
  std::size_t rows, features, depth;
};

// Random bytes; every half-precision scale is 2^-7.
std::vector<std::byte> stored_weights(tensor_type type, const shape& of) {
  const std::size_t size = act::runtime::block_bytes(type);
  std::vector<std::byte> bytes(of.features * of.depth / act::runtime::block_elements(type) * size);
  std::mt19937 random(1);
  if (type == tensor_type::f32) {
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < bytes.size(); i += 4) {
      const float number = normal(random);
      std::memcpy(bytes.data() + i, &number, 4);
    }
    return bytes;
  }
  for (std::byte& each : bytes)
    each = static_cast<std::byte>(random());
  constexpr std::uint16_t scale = 0x2000;
  for (std::size_t i = 0; i < bytes.size(); i += size) {
    std::memcpy(bytes.data() + i, &scale, 2);
    if (type != tensor_type::f16 && type != tensor_type::q8_0) std::memcpy(bytes.data() + i + 2, &scale, 2);
  }
  return bytes;
}

std::vector<float> activations(std::size_t count) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> x(count);
  for (float& each : x)
    each = normal(random);
  return x;
}

void count_work(benchmark::State& state, const shape& of, std::size_t bytes) {
  const double work = 2.0 * static_cast<double>(of.rows * of.features * of.depth);
  state.counters["GFLOP/s"] = benchmark::Counter(work * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["weights GB/s"] =
      benchmark::Counter(static_cast<double>(bytes) * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void product(benchmark::State& state, tensor_type type, shape of, compute_type compute, std::size_t threads) {
  act::set_thread_count(threads);
  const std::vector<std::byte> bytes = stored_weights(type, of);
  const act::runtime::stored_matrix weights(act::runtime::tensor_view{
      .name = "weights", .type = type, .shape = {of.features, of.depth}, .bytes = bytes});
  const std::vector<float> x = activations(of.rows * of.depth);
  std::vector<float> out(of.rows * of.features);
  for (auto _ : state) {
    act::runtime::multiply({x.data(), of.rows, of.depth}, weights, 0, of.features, compute,
                           {out.data(), of.rows, of.features});
    benchmark::DoNotOptimize(out.data());
  }
  count_work(state, of, bytes.size());
}

void eigen(benchmark::State& state, shape of) {
  using dense = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto index = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
  const std::vector<float> numbers = activations(of.features * of.depth),
                           x_numbers = activations(of.rows * of.depth);
  const Eigen::Map<const dense> weights(numbers.data(), index(of.features), index(of.depth)),
      x(x_numbers.data(), index(of.rows), index(of.depth));
  dense out(index(of.rows), index(of.features));
  Eigen::setNbThreads(1);
  for (auto _ : state) {
    out.noalias() = x * weights.transpose();
    benchmark::DoNotOptimize(out.data());
  }
  count_work(state, of, numbers.size() * sizeof(float));
}

void add_all() {
  for (const auto& [features, depth] :
       {std::pair<std::size_t, std::size_t>{3072, 576}, {576, 1536}, {11008, 4096}}) {
    for (const std::size_t rows : {1U, 64U, 256U}) {
      const shape of{rows, features, depth};
      const std::string size = "n:" + std::to_string(rows) + "/features:" + std::to_string(features) +
                               "/inputs:" + std::to_string(depth);
      benchmark::RegisterBenchmark(("eigen/f32/" + size + "/threads:1").c_str(), eigen, of);
      for (const tensor_type type : {tensor_type::f32, tensor_type::f16, tensor_type::q8_0, tensor_type::q4_0,
                                     tensor_type::q4_1, tensor_type::q4_k, tensor_type::q6_k}) {
        if (depth % act::runtime::block_elements(type) != 0) continue;
        for (const compute_type compute : act::runtime::compute_types) {
          if (rows == 1 && compute != compute_type::f32) continue;
          for (const std::size_t threads : {1U, 2U}) {
            const std::string name = std::string("product/") + std::string(name_of(type)) + "/" +
                                     std::string(name_of(compute)) + "/" + size +
                                     "/threads:" + std::to_string(threads);
            benchmark::RegisterBenchmark(name.c_str(), product, type, of, compute, threads)->UseRealTime();
          }
        }
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  act_bench::describe_build();
  benchmark::AddCustomContext("kernels", act::runtime::kernels().name);
  add_all();
  benchmark::RunSpecifiedBenchmarks();
}
