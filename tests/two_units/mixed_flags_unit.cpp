// Compiled once for each set of flags; UNIT is the name of the set.
#include <act/parallel.hpp>

#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "two_units/mixed_flags.hpp"

namespace {

std::size_t naps() {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  act::parallel_for(64, [&](std::size_t) noexcept {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::scoped_lock lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  return threads.size();
}

const void* kernel() {
  void (*const at)(act::attention_span<act::bfloat16>, const act::layer_heads&,
                   const act::calibration_options&, act::calibration_workspace&, act::calibration_report&) =
      act::calibrate<act::bfloat16>;
  return reinterpret_cast<const void*>(at);
}

void calibrate(act::attention_span<act::bfloat16> map, const act::layer_heads& heads,
               const act::calibration_options& options, act::calibration_workspace& workspace,
               act::calibration_report& report) {
  act::calibrate(map, heads, options, workspace, report);
}

}  // namespace

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

extern const flagged_unit UNIT;
const flagged_unit UNIT {
  TEXT(UNIT),
#if defined(_OPENMP)
      true,
#else
      false,
#endif
#if defined(__cpp_exceptions)
      true,
#else
      false,
#endif
      [](std::size_t count) { act::set_thread_count(count); }, [] { return act::thread_count(); }, naps,
      kernel, calibrate
};
