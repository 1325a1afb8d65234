// The public calls for device memory, made with arguments in host memory: uploaded, run, downloaded. Between
// the tests, which a C++ compiler makes together with the core, and device_calls.cu, which nvcc makes.
#pragma once

#include <act/cuda/attention_map.hpp>
#include <act/cuda/map_calibration.hpp>
#include <act/cuda/output_correction.hpp>
#include <act/cuda/tracker_state.hpp>
#include <act/options.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace act_test {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr unsigned case_stride = 4;  ///< cases from one to the next: sanitizers take ten times as long
#else
inline constexpr unsigned case_stride = 1;
#endif

/// Whether a real device runs the calls. It takes more cases in less time.
bool on_device();

/// `all` is the memory that `map` lies in; `bits` the chosen heads, empty for all. Odd seeds run from a
/// captured graph.
template <class T>
act::cuda::status calibrate_there(unsigned seed, std::span<T> all, const act::cuda::attention_map<T>& map,
                                  std::span<const std::uint32_t> bits,
                                  const act::calibration_options& options, double* carried,
                                  const act::cuda::report& wanted, const act::cuda::map_tuning& tuning);

template <class T>
act::cuda::status correct_there(unsigned seed, act::cuda::detail::correction_request<T> request,
                                std::span<const std::uint32_t> bits, const act::cuda::report& wanted,
                                const act::cuda::correction_tuning& tuning);

act::cuda::status start_there(unsigned seed, const act::cuda::tracker_state& state, const double* sums,
                              std::size_t stride, const act::cuda::visibility& visible, std::size_t queries,
                              std::span<const std::uint32_t> bits, const act::calibration_options& options);

template <class T>
act::cuda::status step_there(unsigned seed, const act::cuda::tracker_state& state,
                             const act::cuda::attention_map<T>& rows, const std::int32_t* lengths,
                             std::span<const std::uint32_t> bits, const act::calibration_options& options,
                             double* moved);

}  // namespace act_test
