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

// Instruction sets: the widest of a family that grew in steps, and those that come and go by themselves. All
// that compilers choose instructions by for code such as the core's; a new one needs a line in its group
// here, and one in tests/two_units/build_names.cmake that fails without it.
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
#elif defined(__SSSE3__)
#define ACT_DETAIL_BUILD_FAMILY _ssse3
#elif defined(__SSE3__)
#define ACT_DETAIL_BUILD_FAMILY _sse3
#else
#define ACT_DETAIL_BUILD_FAMILY
#endif

#if defined(__FMA__)
#define ACT_DETAIL_BUILD_FMA _fma
#else
#define ACT_DETAIL_BUILD_FMA
#endif
#if defined(__FMA4__)
#define ACT_DETAIL_BUILD_FMA4 _fma4
#else
#define ACT_DETAIL_BUILD_FMA4
#endif
#if defined(__XOP__)
#define ACT_DETAIL_BUILD_XOP _xop
#else
#define ACT_DETAIL_BUILD_XOP
#endif
#if defined(__F16C__)
#define ACT_DETAIL_BUILD_F16C _f16c
#else
#define ACT_DETAIL_BUILD_F16C
#endif
#if defined(__POPCNT__)
#define ACT_DETAIL_BUILD_POPCNT _popcnt
#else
#define ACT_DETAIL_BUILD_POPCNT
#endif
#if defined(__LZCNT__)
#define ACT_DETAIL_BUILD_LZCNT _lzcnt
#else
#define ACT_DETAIL_BUILD_LZCNT
#endif
#if defined(__BMI__)
#define ACT_DETAIL_BUILD_BMI _bmi
#else
#define ACT_DETAIL_BUILD_BMI
#endif
#if defined(__BMI2__)
#define ACT_DETAIL_BUILD_BMI2 _bmi2
#else
#define ACT_DETAIL_BUILD_BMI2
#endif
#if defined(__MOVBE__)
#define ACT_DETAIL_BUILD_MOVBE _movbe
#else
#define ACT_DETAIL_BUILD_MOVBE
#endif

#if defined(__AVX512CD__)
#define ACT_DETAIL_BUILD_AVX512CD _cd
#else
#define ACT_DETAIL_BUILD_AVX512CD
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
#if defined(__AVX512IFMA__)
#define ACT_DETAIL_BUILD_AVX512IFMA _ifma
#else
#define ACT_DETAIL_BUILD_AVX512IFMA
#endif
#if defined(__AVX512VBMI__)
#define ACT_DETAIL_BUILD_AVX512VBMI _vbmi
#else
#define ACT_DETAIL_BUILD_AVX512VBMI
#endif
#if defined(__AVX512VBMI2__)
#define ACT_DETAIL_BUILD_AVX512VBMI2 _vbmi2
#else
#define ACT_DETAIL_BUILD_AVX512VBMI2
#endif
#if defined(__AVX512VNNI__)
#define ACT_DETAIL_BUILD_AVX512VNNI _vnni
#else
#define ACT_DETAIL_BUILD_AVX512VNNI
#endif
#if defined(__AVX512BITALG__)
#define ACT_DETAIL_BUILD_AVX512BITALG _bitalg
#else
#define ACT_DETAIL_BUILD_AVX512BITALG
#endif
#if defined(__AVX512VPOPCNTDQ__)
#define ACT_DETAIL_BUILD_AVX512VPOPCNTDQ _vpopcntdq
#else
#define ACT_DETAIL_BUILD_AVX512VPOPCNTDQ
#endif
#if defined(__AVX512BF16__)
#define ACT_DETAIL_BUILD_AVX512BF16 _bf16
#else
#define ACT_DETAIL_BUILD_AVX512BF16
#endif
#if defined(__AVX512FP16__)
#define ACT_DETAIL_BUILD_AVX512FP16 _fp16
#else
#define ACT_DETAIL_BUILD_AVX512FP16
#endif
#if defined(__AVXVNNI__)
#define ACT_DETAIL_BUILD_AVXVNNI _avxvnni
#else
#define ACT_DETAIL_BUILD_AVXVNNI
#endif

#if defined(__ARM_FEATURE_ATOMICS)
#define ACT_DETAIL_BUILD_ARM_ATOMICS _lse
#else
#define ACT_DETAIL_BUILD_ARM_ATOMICS
#endif
#if defined(__ARM_FEATURE_DOTPROD)
#define ACT_DETAIL_BUILD_ARM_DOTPROD _dotprod
#else
#define ACT_DETAIL_BUILD_ARM_DOTPROD
#endif
#if defined(__ARM_FEATURE_FP16_VECTOR_ARITHMETIC)
#define ACT_DETAIL_BUILD_ARM_FP16_VECTOR_ARITHMETIC _fp16
#else
#define ACT_DETAIL_BUILD_ARM_FP16_VECTOR_ARITHMETIC
#endif
#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#define ACT_DETAIL_BUILD_ARM_BF16_VECTOR_ARITHMETIC _bf16
#else
#define ACT_DETAIL_BUILD_ARM_BF16_VECTOR_ARITHMETIC
#endif
#if defined(__ARM_FEATURE_MATMUL_INT8)
#define ACT_DETAIL_BUILD_ARM_MATMUL_INT8 _i8mm
#else
#define ACT_DETAIL_BUILD_ARM_MATMUL_INT8
#endif
#if defined(__ARM_FEATURE_SVE)
#define ACT_DETAIL_BUILD_ARM_SVE _sve
#else
#define ACT_DETAIL_BUILD_ARM_SVE
#endif
#if defined(__ARM_FEATURE_SVE2)
#define ACT_DETAIL_BUILD_ARM_SVE2 _sve2
#else
#define ACT_DETAIL_BUILD_ARM_SVE2
#endif

// Pasted together group by group.
#define ACT_DETAIL_JOIN4_(a, b, c, d) a##b##c##d
#define ACT_DETAIL_JOIN7_(a, b, c, d, e, f, g) a##b##c##d##e##f##g
#define ACT_DETAIL_JOIN9_(a, b, c, d, e, f, g, h, i) a##b##c##d##e##f##g##h##i
#define ACT_DETAIL_JOIN13_(a, b, c, d, e, f, g, h, i, j, k, l, m) a##b##c##d##e##f##g##h##i##j##k##l##m
#define ACT_DETAIL_JOIN4(...) ACT_DETAIL_JOIN4_(__VA_ARGS__)
#define ACT_DETAIL_JOIN7(...) ACT_DETAIL_JOIN7_(__VA_ARGS__)
#define ACT_DETAIL_JOIN9(...) ACT_DETAIL_JOIN9_(__VA_ARGS__)
#define ACT_DETAIL_JOIN13(...) ACT_DETAIL_JOIN13_(__VA_ARGS__)
#define ACT_DETAIL_BUILD_X86                                                                                 \
  ACT_DETAIL_JOIN9(ACT_DETAIL_BUILD_FMA, ACT_DETAIL_BUILD_FMA4, ACT_DETAIL_BUILD_XOP, ACT_DETAIL_BUILD_F16C, \
                   ACT_DETAIL_BUILD_POPCNT, ACT_DETAIL_BUILD_LZCNT, ACT_DETAIL_BUILD_BMI,                    \
                   ACT_DETAIL_BUILD_BMI2, ACT_DETAIL_BUILD_MOVBE)
#define ACT_DETAIL_BUILD_AVX512                                                                          \
  ACT_DETAIL_JOIN13(ACT_DETAIL_BUILD_AVX512CD, ACT_DETAIL_BUILD_AVX512BW, ACT_DETAIL_BUILD_AVX512DQ,     \
                    ACT_DETAIL_BUILD_AVX512VL, ACT_DETAIL_BUILD_AVX512IFMA, ACT_DETAIL_BUILD_AVX512VBMI, \
                    ACT_DETAIL_BUILD_AVX512VBMI2, ACT_DETAIL_BUILD_AVX512VNNI,                           \
                    ACT_DETAIL_BUILD_AVX512BITALG, ACT_DETAIL_BUILD_AVX512VPOPCNTDQ,                     \
                    ACT_DETAIL_BUILD_AVX512BF16, ACT_DETAIL_BUILD_AVX512FP16, ACT_DETAIL_BUILD_AVXVNNI)
#define ACT_DETAIL_BUILD_ARM                                                                                 \
  ACT_DETAIL_JOIN7(ACT_DETAIL_BUILD_ARM_ATOMICS, ACT_DETAIL_BUILD_ARM_DOTPROD,                               \
                   ACT_DETAIL_BUILD_ARM_FP16_VECTOR_ARITHMETIC, ACT_DETAIL_BUILD_ARM_BF16_VECTOR_ARITHMETIC, \
                   ACT_DETAIL_BUILD_ARM_MATMUL_INT8, ACT_DETAIL_BUILD_ARM_SVE, ACT_DETAIL_BUILD_ARM_SVE2)
#define ACT_DETAIL_BUILD_PROCESSOR                                                         \
  ACT_DETAIL_JOIN4(ACT_DETAIL_BUILD_FAMILY, ACT_DETAIL_BUILD_X86, ACT_DETAIL_BUILD_AVX512, \
                   ACT_DETAIL_BUILD_ARM)

/// For example built_openmp_xsimd8_avx2_fma_f16c.
#define ACT_DETAIL_JOIN5_(a, b, c, d, e) a##b##c##d##e
#define ACT_DETAIL_JOIN5(...) ACT_DETAIL_JOIN5_(__VA_ARGS__)
#define ACT_BUILD                                                                \
  ACT_DETAIL_JOIN5(built, ACT_DETAIL_BUILD_THREADS, ACT_DETAIL_BUILD_EXCEPTIONS, \
                   ACT_DETAIL_BUILD_XSIMD(XSIMD_VERSION_MAJOR), ACT_DETAIL_BUILD_PROCESSOR)
