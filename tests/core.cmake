# The core's tests: as it is configured (which tests the scalar kernels too), and without xsimd in sight.
# Which they are, core_tests.txt says, to Meson too.
file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/core_tests.txt act_core_test_sources)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/core_tests.txt)
if(NOT act_sanitized OR CMAKE_CXX_COMPILER_ID MATCHES "Clang")  # gcc needs minutes for such a unit there
  act_join_sources(act_core_test_sources core UNITS 2 OF_TESTS SOURCES ${act_core_test_sources})  # one a core
endif()
option(ACT_TEST_CORE "Build act_core_tests, which a build of the upper layers under the sanitizers leaves to another" ON)
if(ACT_TEST_CORE)
  act_add_tests(NAME act_core_tests SOURCES ${act_core_test_sources} LINK act::act $<$<TARGET_EXISTS:Eigen3::Eigen>:Eigen3::Eigen>)
endif()
option(ACT_TEST_WITHOUT_SIMD "Test the core a second time, with its SIMD kernels compiled out" ON)
if(ACT_TEST_CORE AND ACT_TEST_WITHOUT_SIMD AND ACT_USE_XSIMD AND xsimd_FOUND)
  act_add_tests(NAME act_core_without_simd_tests SOURCES ${act_core_test_sources} LINK act::act $<$<TARGET_EXISTS:Eigen3::Eigen>:Eigen3::Eigen>)
  target_compile_definitions(act_core_without_simd_tests PRIVATE ACT_NO_XSIMD)
endif()

# Allocations that fail, and forms that have none: a program of its own, it replaces operator new.
act_add_tests(NAME act_allocation_tests SOURCES allocation/allocation_test.cpp LINK act::act)

# Translation units with different flags in one program.
add_subdirectory(two_units)

# The embedding example says what it should.
if(TARGET embed_eigen)
  add_test(NAME embed_eigen_runs COMMAND embed_eigen)
  set_tests_properties(embed_eigen_runs PROPERTIES PASS_REGULAR_EXPRESSION "token 11: mean weight 0.7")
endif()

# The guide's snippets do what the guide says, and are what it shows.
foreach(name have_map have_output have_qkv decode_with_cache only_bias own_half_type)
  if(TARGET guide_${name})
    add_test(NAME guide_${name} COMMAND guide_${name})
  endif()
endforeach()

# Run-time dispatch chooses what there is: on this processor, and on ones that lack its instructions. Those are played by
# qemu-user, to which one instruction too many is an error. (It can't run what the sanitizers make of a program.)
if(TARGET dispatch)
  add_test(NAME dispatch_runs COMMAND dispatch)
  find_program(ACT_QEMU_X86_64 qemu-x86_64)
  if(ACT_QEMU_X86_64 AND TARGET dispatch_without_inlining AND NOT CMAKE_CXX_FLAGS MATCHES "fsanitize")
    foreach(program dispatch dispatch_without_inlining)
      add_test(NAME ${program}_on_sse2 COMMAND ${ACT_QEMU_X86_64} -cpu Opteron_G1 $<TARGET_FILE:${program}>)
      add_test(NAME ${program}_on_avx2 COMMAND ${ACT_QEMU_X86_64} -cpu Haswell $<TARGET_FILE:${program}>)
      set_tests_properties(${program}_on_sse2 PROPERTIES PASS_REGULAR_EXPRESSION "chosen: baseline\n.*all agree")
      set_tests_properties(${program}_on_avx2 PROPERTIES PASS_REGULAR_EXPRESSION "chosen: avx2\n.*all agree")
    endforeach()
  endif()
endif()

# Random cases of every form: a few each time, 10,000 where asked for (preset slow, or ctest -C slow -L slow).
add_executable(act_random_cases slow/random_cases.cpp)
target_link_libraries(act_random_cases PRIVATE act::act act_warnings)
target_include_directories(act_random_cases PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_compile_options(act_random_cases PRIVATE $<$<CONFIG:Release>:-O1>)  # half a minute of compiling less
set(act_random_case_count 100)
if(act_sanitized)
  set(act_random_case_count 30)
endif()
add_test(NAME random_cases COMMAND act_random_cases ${act_random_case_count})
add_test(NAME random_cases_10000 COMMAND act_random_cases CONFIGURATIONS slow)
set_tests_properties(random_cases_10000 PROPERTIES LABELS slow TIMEOUT 7200)
