# The header-only layers as interface targets. No compiler flags here: users keep their own.

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

if(NOT ACT_BUILD_PROGRAMS)
  return()
endif()

find_package(PkgConfig REQUIRED)

# The reference runtime: model files, tokenizers, the transformer.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
find_package(nlohmann_json 3.9 REQUIRED)
add_library(act_runtime INTERFACE)
add_library(act::runtime ALIAS act_runtime)
target_link_libraries(act_runtime INTERFACE act::act Eigen3::Eigen PkgConfig::PCRE2 nlohmann_json::nlohmann_json)
# Two kinds of tokenizer need a library of their own; without it they are refused by name.
pkg_check_modules(SENTENCEPIECE QUIET IMPORTED_TARGET sentencepiece)
if(SENTENCEPIECE_FOUND)
  target_link_libraries(act_runtime INTERFACE PkgConfig::SENTENCEPIECE)
  target_compile_definitions(act_runtime INTERFACE ACT_HAS_SENTENCEPIECE)
endif()
pkg_check_modules(UTF8PROC QUIET IMPORTED_TARGET libutf8proc)
if(UTF8PROC_FOUND)
  target_link_libraries(act_runtime INTERFACE PkgConfig::UTF8PROC)
  target_compile_definitions(act_runtime INTERFACE ACT_HAS_UTF8PROC)
endif()

# The experiments: tasks, statistics, head search, reports.
find_package(SQLite3 REQUIRED)
pkg_check_modules(MD REQUIRED IMPORTED_TARGET libmd)
add_library(act_experiments INTERFACE)
add_library(act::experiments ALIAS act_experiments)
target_link_libraries(act_experiments INTERFACE
  act::runtime SQLite::SQLite3 PkgConfig::MD)
