# The core: header-only, an interface target. No compiler flags here: users keep their own.

add_library(act INTERFACE)
add_library(act::act ALIAS act)
target_include_directories(act INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
target_compile_features(act INTERFACE cxx_std_20)

# xsimd's package accepts only its own major version, so ask without one and check here: act works with 8.1 to 14.
# It is used through its include folder: the header finds out by __has_include, with no link dependency to export.
if(ACT_USE_XSIMD)
  find_package(xsimd QUIET)
  if(xsimd_FOUND AND xsimd_VERSION VERSION_GREATER_EQUAL 8.1)
    message(STATUS "act: kernels vectorised with xsimd ${xsimd_VERSION}")
    get_target_property(act_xsimd_include xsimd INTERFACE_INCLUDE_DIRECTORIES)
    target_include_directories(act SYSTEM INTERFACE $<BUILD_INTERFACE:${act_xsimd_include}>)
  else()
    message(STATUS "act: xsimd 8.1 or newer not found, kernels are scalar")
    target_compile_definitions(act INTERFACE ACT_NO_XSIMD)
  endif()
else()
  target_compile_definitions(act INTERFACE ACT_NO_XSIMD)
endif()

if(ACT_USE_OPENMP)
  find_package(OpenMP QUIET COMPONENTS CXX)
  if(OpenMP_CXX_FOUND)
    target_link_libraries(act INTERFACE OpenMP::OpenMP_CXX)
  else()
    message(STATUS "act: OpenMP not found, one thread")
  endif()
endif()
