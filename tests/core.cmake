# The core's tests, twice: as it is configured, and with its SIMD kernels compiled out.
set(act_core_test_sources
  ablations_test.cpp attention_view_test.cpp calibrate_test.cpp calibrated_attention_test.cpp
  column_scores_test.cpp compatibility_test.cpp half_test.cpp
  head_set_test.cpp options_test.cpp output_correction_test.cpp parallel_test.cpp redistribution_test.cpp sink_tracker_test.cpp sinks_test.cpp
  validation_test.cpp kernels/row_test.cpp)
act_add_tests(NAME act_core_tests SOURCES ${act_core_test_sources} LINK act::act $<$<TARGET_EXISTS:Eigen3::Eigen>:Eigen3::Eigen>)
if(ACT_USE_XSIMD AND xsimd_FOUND)
  act_add_tests(NAME act_core_without_simd_tests SOURCES ${act_core_test_sources} LINK act::act $<$<TARGET_EXISTS:Eigen3::Eigen>:Eigen3::Eigen>)
  target_compile_definitions(act_core_without_simd_tests PRIVATE ACT_NO_XSIMD)
endif()

# Two translation units with different instruction sets in one program.
include(CheckCXXCompilerFlag)
check_cxx_compiler_flag(-mavx2 ACT_COMPILER_HAS_AVX2)
if(ACT_COMPILER_HAS_AVX2)
  act_add_tests(NAME act_two_units_tests
    SOURCES two_units/two_units_test.cpp two_units/baseline.cpp two_units/avx2.cpp LINK act::act)
  # Both say no to more, so that a build for the newest processor tests the same pair.
  set_source_files_properties(two_units/baseline.cpp PROPERTIES COMPILE_OPTIONS "-mno-avx")
  set_source_files_properties(two_units/avx2.cpp PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mno-avx512f")
endif()

# Outside projects that use this checkout.
add_subdirectory(consumers)

# The embedding example says what it should.
if(TARGET embed_eigen)
  add_test(NAME embed_eigen_runs COMMAND embed_eigen)
  set_tests_properties(embed_eigen_runs PROPERTIES PASS_REGULAR_EXPRESSION "token 11: mean weight 0.7")
endif()
