// Units with and without OpenMP, exceptions, xsimd, F16C and AVX512-BF16 in one program: each keeps its own
// threads and kernels, the thread limit holds for all, and data of one is good for the others. Linked in both
// orders.
#include "two_units/mixed_flags.hpp"

#include <act/error.hpp>

#include <cstdio>
#include <set>
#include <vector>

extern const flagged_unit serial, no_exceptions;
#if defined(HAS_OPENMP)
extern const flagged_unit openmp, openmp_no_xsimd;
#endif
#if defined(HAS_X86)
extern const flagged_unit avx2, avx2_f16c, avx512, avx512_bf16;
#endif

namespace {

int failures = 0;

void check(bool met, const char* unit, const char* what) {
  if (met) return;
  std::printf("  FAILED %s: %s\n", unit, what);
  ++failures;
}

constexpr std::size_t tokens = 100, heads = 8;

std::vector<act::bfloat16> example_map() {
  std::vector<act::bfloat16> map(heads * tokens * tokens);
  for (std::size_t row = 0; row < heads * tokens; ++row) {
    const std::size_t seen = row % tokens + 1;
    for (std::size_t j = 0; j < seen; ++j)
      map[row * tokens + j] = act::bfloat16((j % 20 == 7 ? 0.5 : 1.0 / static_cast<double>(seen)) / 4);
  }
  return map;
}

}  // namespace

int main() {
  std::vector<const flagged_unit*> units{&serial, &no_exceptions};
#if defined(HAS_OPENMP)
  units.insert(units.end(), {&openmp, &openmp_no_xsimd});
#endif
#if defined(HAS_X86)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    units.insert(units.end(), {&avx2, &avx2_f16c});
  if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd")) {
    units.push_back(&avx512);
    if (__builtin_cpu_supports("avx512bf16")) units.push_back(&avx512_bf16);
  }
#endif

  std::set<const void*> kernels;
  std::vector<float> expected;
  act::calibration_workspace workspace;  // of this unit, used by all
  act::calibration_report report;
  for (const flagged_unit* unit : units) {
    units.front()->set_thread_count(3);
    const std::size_t count = unit->thread_count(), at_work = unit->threads_at_work();
    std::printf("%-16s thread_count() %zu, at work %zu\n", unit->name, count, at_work);
    check(count == (unit->with_openmp ? 3U : 1U), unit->name, "doesn't have its own thread count");
    check(unit->with_openmp ? at_work > 1 && at_work <= 3 : at_work == 1, unit->name, "has others' threads");
    check(kernels.insert(unit->kernel()).second, unit->name, "shares its kernels with another unit");

    std::vector<act::bfloat16> map = example_map();
    const auto span = act::attention_span<act::bfloat16>::packed(map.data(), 1, heads, tokens, tokens);
    unit->calibrate(span, act::layer_heads::all(), {}, workspace, report);
    check(report.heads.size() == heads && report.heads[0].sinks.size() == 5, unit->name, "finds other sinks");
    std::vector<float> result(map.begin(), map.end());
    if (expected.empty()) expected = result;
    for (std::size_t k = 0; k < result.size(); ++k)
      check(result[k] - expected[k] <= 0.01F * expected[k] && expected[k] - result[k] <= 0.01F * expected[k],
            unit->name, "computes something else");

    if (!unit->with_exceptions) continue;  // it would end here
    try {
      unit->calibrate(span, {heads}, {}, workspace, report);
      check(false, unit->name, "refuses nothing");
    } catch (const act::error& refusal) {
      check(refusal.code() == act::error_code::invalid_option, unit->name, "refuses with another code");
    }
  }
  std::printf("%zu units, %zu copies of calibrate()%s\n", units.size(), kernels.size(),
              failures == 0 ? ": each its own" : "");
  return failures == 0 ? 0 : 1;
}
