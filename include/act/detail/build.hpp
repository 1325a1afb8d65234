// The name of what this translation unit is compiled for: an inline namespace for all code that its flags
// change. Units of one program that are compiled with and without OpenMP, exceptions or xsimd, or for
// different processors, would otherwise share one name with several bodies, and the linker would keep
// whichever comes first. For the core's headers: everything called detail, and every public function or class
// that raises errors, starts threads or touches batches, lies in it. Plain data (options, views, reports,
// workspaces, half types) does not: units pass it to each other.
#pragma once

#include <act/version.hpp>

#if !defined(ACT_NO_XSIMD)
#if __has_include(<xsimd/xsimd.hpp>)
#include <xsimd/config/xsimd_config.hpp>
#define ACT_DETAIL_HAS_XSIMD 1
#endif
#endif

#if defined(_OPENMP)
#define ACT_DETAIL_BUILD_THREADS _openmp
#else
#define ACT_DETAIL_BUILD_THREADS
#endif

#if defined(__cpp_exceptions)
#define ACT_DETAIL_HAS_EXCEPTIONS 1
#define ACT_DETAIL_BUILD_EXCEPTIONS
#else
#define ACT_DETAIL_BUILD_EXCEPTIONS _noexcept
#endif

#if defined(ACT_DETAIL_HAS_XSIMD)
#define ACT_DETAIL_BUILD_XSIMD_(major) _xsimd##major
#define ACT_DETAIL_BUILD_XSIMD(major) ACT_DETAIL_BUILD_XSIMD_(major)
#else
#define ACT_DETAIL_BUILD_XSIMD(major)
#endif

// Instruction sets: the widest of a family that grew in steps, and those that come and go by themselves.
#if defined(__AVX512F__)
#define ACT_DETAIL_BUILD_FAMILY _avx512f
#elif defined(__AVX2__)
#define ACT_DETAIL_BUILD_FAMILY _avx2
#elif defined(__AVX__)
#define ACT_DETAIL_BUILD_FAMILY _avx
#elif defined(__SSE4_2__)
#define ACT_DETAIL_BUILD_FAMILY _sse42
#elif defined(__SSE4_1__)
#define ACT_DETAIL_BUILD_FAMILY _sse41
#elif defined(__SSE3__)
#define ACT_DETAIL_BUILD_FAMILY _sse3
#elif defined(__ARM_FEATURE_SVE)
#define ACT_DETAIL_BUILD_FAMILY _sve
#else
#define ACT_DETAIL_BUILD_FAMILY
#endif

#if defined(__FMA__)
#define ACT_DETAIL_BUILD_FMA _fma
#else
#define ACT_DETAIL_BUILD_FMA
#endif
#if defined(__F16C__)
#define ACT_DETAIL_BUILD_F16C _f16c
#else
#define ACT_DETAIL_BUILD_F16C
#endif
#if defined(__BMI2__)
#define ACT_DETAIL_BUILD_BMI2 _bmi2
#else
#define ACT_DETAIL_BUILD_BMI2
#endif
#if defined(__AVX512BW__)
#define ACT_DETAIL_BUILD_AVX512BW _bw
#else
#define ACT_DETAIL_BUILD_AVX512BW
#endif
#if defined(__AVX512DQ__)
#define ACT_DETAIL_BUILD_AVX512DQ _dq
#else
#define ACT_DETAIL_BUILD_AVX512DQ
#endif
#if defined(__AVX512VL__)
#define ACT_DETAIL_BUILD_AVX512VL _vl
#else
#define ACT_DETAIL_BUILD_AVX512VL
#endif
#if defined(__AVX512BF16__)
#define ACT_DETAIL_BUILD_AVX512BF16 _bf16
#else
#define ACT_DETAIL_BUILD_AVX512BF16
#endif

#define ACT_DETAIL_JOIN_(a, b, c, d, e, f, g, h, i, j, k, l) a##b##c##d##e##f##g##h##i##j##k##l
#define ACT_DETAIL_JOIN(...) ACT_DETAIL_JOIN_(__VA_ARGS__)

/// For example built_openmp_xsimd8_avx2_fma_f16c.
#define ACT_BUILD                                                                                  \
  ACT_DETAIL_JOIN(built, ACT_DETAIL_BUILD_THREADS, ACT_DETAIL_BUILD_EXCEPTIONS,                    \
                  ACT_DETAIL_BUILD_XSIMD(XSIMD_VERSION_MAJOR), ACT_DETAIL_BUILD_FAMILY,            \
                  ACT_DETAIL_BUILD_FMA, ACT_DETAIL_BUILD_F16C, ACT_DETAIL_BUILD_BMI2,              \
                  ACT_DETAIL_BUILD_AVX512BW, ACT_DETAIL_BUILD_AVX512DQ, ACT_DETAIL_BUILD_AVX512VL, \
                  ACT_DETAIL_BUILD_AVX512BF16)
