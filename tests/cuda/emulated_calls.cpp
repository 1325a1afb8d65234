// The calls on the emulated device; see there.hpp.
#include <act/cuda/map_calibration.hpp>
#include <act/cuda/output_correction.hpp>
#include <act/cuda/tracker.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "cuda/emulation/device.hpp"
#include "cuda/there.hpp"

namespace act_test {
namespace {

/// Memory for a call that begins on 16 bytes and holds no zeros.
class workspace {
 public:
  explicit workspace(std::size_t bytes)
      : numbers_(bytes / 8 + 2, std::numeric_limits<double>::quiet_NaN()), bytes_(bytes) {}
  [[nodiscard]] void* data() {
    return numbers_.data() + (reinterpret_cast<std::uintptr_t>(numbers_.data()) % 16 == 0 ? 0 : 1);
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::vector<double> numbers_;
  std::size_t bytes_;
};

/// An order of turns and a number of blocks at once for each seed.
emulated_device device_for(unsigned seed) {
  return emulated_device(static_cast<turns>(seed % 4), seed, static_cast<int>(1 + seed / 4 % 4));
}

}  // namespace

bool on_device() {
  return false;
}

template <class T>
act::cuda::status calibrate_there(unsigned seed, std::span<T>, const act::cuda::attention_map<T>& map,
                                  std::span<const std::uint32_t> bits,
                                  const act::calibration_options& options, double* carried,
                                  const act::cuda::report& wanted, const act::cuda::map_tuning& tuning) {
  emulated_device device = device_for(seed);
  workspace memory(act::cuda::detail::map_workspace(map, options, tuning));
  return act::cuda::detail::calibrate_map(device, map, {bits.empty() ? nullptr : bits.data()}, options,
                                          memory.data(), memory.bytes(), carried, wanted, tuning);
}

template <class T>
act::cuda::status correct_there(unsigned seed, act::cuda::detail::correction_request<T> request,
                                std::span<const std::uint32_t> bits, const act::cuda::report& wanted,
                                const act::cuda::correction_tuning& tuning) {
  emulated_device device = device_for(seed);
  workspace memory(act::cuda::detail::correction_workspace(
      request.q.batches * request.q.heads, request.q.tokens, request.k.tokens, request.calibration,
      request.scores != nullptr, tuning));
  request.chosen.words = bits.empty() ? nullptr : bits.data();
  return act::cuda::detail::correct<T, 8>(device, request, memory.data(), memory.bytes(), wanted, tuning);
}

act::cuda::status start_there(unsigned seed, const act::cuda::tracker_state& state, const double* sums,
                              std::size_t stride, const act::cuda::visibility& visible, std::size_t queries,
                              std::span<const std::uint32_t> bits, const act::calibration_options& options) {
  emulated_device device = device_for(seed);
  return act::cuda::detail::start(device, state, sums, stride, visible, queries, {bits.data()}, options, 64);
}

template <class T>
act::cuda::status step_there(unsigned seed, const act::cuda::tracker_state& state,
                             const act::cuda::attention_map<T>& rows, const std::int32_t* lengths,
                             std::span<const std::uint32_t> bits, const act::calibration_options& options,
                             double* moved) {
  emulated_device device = device_for(seed);
  return act::cuda::detail::step(device, state, rows, lengths, {bits.data()}, options, moved, 64);
}

#define ACT_TEST_FOR(T)                                                                                   \
  template act::cuda::status calibrate_there<T>(                                                          \
      unsigned, std::span<T>, const act::cuda::attention_map<T>&, std::span<const std::uint32_t>,         \
      const act::calibration_options&, double*, const act::cuda::report&, const act::cuda::map_tuning&);  \
  template act::cuda::status correct_there<T>(unsigned, act::cuda::detail::correction_request<T>,         \
                                              std::span<const std::uint32_t>, const act::cuda::report&,   \
                                              const act::cuda::correction_tuning&);                       \
  template act::cuda::status step_there<T>(                                                               \
      unsigned, const act::cuda::tracker_state&, const act::cuda::attention_map<T>&, const std::int32_t*, \
      std::span<const std::uint32_t>, const act::calibration_options&, double*);
ACT_TEST_FOR(float)
ACT_TEST_FOR(act::float16)
ACT_TEST_FOR(act::bfloat16)
#undef ACT_TEST_FOR

}  // namespace act_test
