// What is refused, and that nothing runs then. On the emulated device only: no memory is touched.
#include <act/cuda/map_calibration.hpp>
#include <act/cuda/output_correction.hpp>
#include <act/cuda/tracker.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/emulation/device.hpp"
#include "random/random_attention.hpp"
#include "random/random_map.hpp"

namespace {

using act::cuda::status;
namespace detail = act::cuda::detail;

template <class T>
act::cuda::head_tensor<T> on_device(const act::head_tensor<T>& t) {
  return {t.data, t.batches, t.heads, t.tokens, t.channels, t.batch_stride, t.head_stride, t.token_stride};
}

}  // namespace

TEST_CASE("cuda: an empty set of heads, an empty map and bad requests") {
  act_test::emulated_device device;
  act_test::random_map<float> map({.heads = 2, .queries = 20, .keys = 20}, 1);
  const std::vector<float> before = map.elements();
  const act::attention_span<float>& span = map.span();
  const auto whole = act::cuda::attention_map<float>{
      span.data, 1, 2, 20, 20, span.batch_stride, span.head_stride, span.query_stride, {}};
  const std::uint32_t none = 0;
  const std::size_t bytes = detail::map_workspace(whole, {}, act::cuda::map_tuning{});
  const auto memory = std::make_unique<double[]>(bytes / 8 + 1);  // new aligns to 16
  const auto ask = [&](const act::cuda::attention_map<float>& of, const act::calibration_options& options,
                       std::size_t size, void* at) {
    return detail::calibrate_map(device, of, {&none}, options, at, size, nullptr, {},
                                 act::cuda::map_tuning{});
  };
  CHECK(ask(whole, {}, bytes, memory.get()) == status::ok);
  CHECK(act_test::same_bits(before, map.elements()));
  CHECK(ask({}, {}, 0, nullptr) == status::ok);
  CHECK(device.launches() == 1);

  CHECK(ask(whole, {}, bytes - 1, memory.get()) == status::workspace_too_small);
  CHECK(ask(whole, {}, bytes, nullptr) == status::workspace_too_small);
  CHECK(ask(whole, {}, bytes, reinterpret_cast<char*>(memory.get()) + 4) == status::workspace_too_small);
  auto wrong = whole;
  wrong.query_stride = 19;
  CHECK(ask(wrong, {}, bytes, memory.get()) == status::invalid_shape);
  wrong = whole;
  wrong.visible.query_offset = 1;
  CHECK(ask(wrong, {}, bytes, memory.get()) == status::invalid_shape);
  wrong = whole;
  wrong.data = nullptr;
  CHECK(ask(wrong, {}, bytes, memory.get()) == status::invalid_shape);
  CHECK(ask(whole, {.beta = 2}, bytes, memory.get()) == status::invalid_option);
  CHECK(ask(whole, {.redistribute = act::redistribution::uniform}, bytes, memory.get()) ==
        status::unsupported);
  CHECK(ask(whole, {.behave_as = act::compatibility::authors}, bytes, memory.get()) == status::unsupported);
  CHECK(ask(whole, {.redistribute = act::redistribution::renormalised, .factor = 2}, bytes, memory.get()) ==
        status::unsupported);
  CHECK(ask(whole, {.columns = act::column_choice::initial_token}, bytes, memory.get()) ==
        status::unsupported);
  const std::vector<double> strengths(whole.heads, 0.3);
  CHECK(ask(whole, {.strengths = strengths}, bytes, memory.get()) == status::unsupported);
  for (const act::cuda::map_tuning& tuning :
       {act::cuda::map_tuning{.threads = 48}, act::cuda::map_tuning{.threads = 512},
        act::cuda::map_tuning{.rows_per_chunk = 0}}) {
    CHECK(detail::map_workspace(whole, {}, tuning) == 0);
    CHECK(detail::calibrate_map(device, whole, {&none}, {}, memory.get(), bytes, nullptr, {}, tuning) ==
          status::invalid_option);
  }
  CHECK(device.launches() == 1);
}

TEST_CASE("cuda: corrections that can't be are refused before anything runs") {
  act_test::random_attention<float> of(1, 4, 2, 8, 8, 16, 16, 1);
  const std::vector<float> lse(32);
  const detail::correction_request<float> good{on_device(of.out.tensor()),
                                               lse.data(),
                                               on_device(of.q.tensor()),
                                               on_device(of.k.tensor()),
                                               on_device(of.v.tensor()),
                                               {},
                                               {},
                                               {}};
  act_test::emulated_device device;
  std::vector<double> memory(100000);
  const auto ask = [&](const detail::correction_request<float>& request) {
    return detail::correct<float, 8>(device, request, memory.data(), 0, {}, act::cuda::correction_tuning{});
  };
  CHECK(ask(good) == status::workspace_too_small);
  auto bad = good;
  bad.k.heads = 3;
  CHECK(ask(bad) == status::invalid_shape);
  bad = good, bad.out.token_stride = 8;
  CHECK(ask(bad) == status::invalid_shape);
  bad = good, bad.log_sum_exp = nullptr;
  CHECK(ask(bad) == status::invalid_shape);
  bad = good, bad.attention.visible.query_offset = 1;
  CHECK(ask(bad) == status::invalid_shape);
  bad = good, bad.scores = bad.carried_sums = memory.data();
  CHECK(ask(bad) == status::invalid_shape);
  for (const double scale : {1e30, -1e30, std::nan("")}) {
    bad = good, bad.attention.scale = scale;
    CHECK(ask(bad) == status::invalid_option);
  }
  for (const double cap : {-1.0, 1e-30, 1e30, std::nan("")}) {
    bad = good, bad.attention.soft_cap = cap;
    CHECK(ask(bad) == status::invalid_option);
  }
  bad = good, bad.attention.scale = -1;  // as the core takes it
  CHECK(ask(bad) == status::workspace_too_small);
  bad = good, bad.q.channels = bad.k.channels = 300;
  CHECK(ask(bad) == status::unsupported);
  bad = good, bad.calibration.redistribute = act::redistribution::inverse;
  CHECK(ask(bad) == status::unsupported);
  for (const act::cuda::correction_tuning& tuning :
       {act::cuda::correction_tuning{.threads = 0}, act::cuda::correction_tuning{.rows_per_chunk = -1},
        act::cuda::correction_tuning{.rows_per_item = 0}}) {
    CHECK(detail::correct<float, 8>(device, good, memory.data(), 800000, {}, tuning) ==
          status::invalid_option);
  }
  CHECK(device.launches() == 0);
}

TEST_CASE("cuda: rows that don't fit their tracker are left alone") {
  std::vector<double> memory(act::cuda::tracker_size(1, 1, 8) / 8 + 2, 0.0);
  const act::cuda::tracker_state state{memory.data(), 1, 1, 8};
  std::vector<float> rows(16, 0.25F);
  auto map = act::cuda::attention_map<float>::packed(rows.data(), 1, 1, 1, 16);
  act_test::emulated_device device;
  for (const std::int32_t length : {0, -1, 9, 17}) {
    CHECK(detail::step(device, state, map, &length, {}, {}, nullptr, 64) == status::ok);
    CHECK(std::all_of(rows.begin(), rows.end(), [](float each) { return each == 0.25F; }));
  }
  const std::int32_t length = 4;
  map.heads = 2;
  CHECK(detail::step(device, state, map, &length, {}, {}, nullptr, 64) == status::invalid_shape);
  map.heads = 1;
  CHECK(detail::step(device, state, map, nullptr, {}, {}, nullptr, 64) == status::invalid_shape);
  CHECK(detail::step(device, {nullptr, 1, 1, 8}, map, &length, {}, {}, nullptr, 64) ==
        status::workspace_too_small);
  CHECK(detail::start(device, state, memory.data(), 9, {}, 9, {}, {}, 64) == status::invalid_shape);
}
