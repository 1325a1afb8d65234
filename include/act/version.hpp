// The version of act: the one place it is written. CMake and Meson read the three numbers from here. Every
// header of the core includes this one first of all, so it is also where an older C++ is turned away.
#pragma once

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 202002L
#error "act needs C++20: compile with -std=c++20 or newer (CMake: target_compile_features(... cxx_std_20))"
#endif

/// First number of the version.
#define ACT_VERSION_MAJOR 0
/// Second number; before 1.0 a new one may change the interface.
#define ACT_VERSION_MINOR 3
/// Third number.
#define ACT_VERSION_PATCH 0

#define ACT_DETAIL_STRINGIFY_(x) #x
#define ACT_DETAIL_STRINGIFY(x) ACT_DETAIL_STRINGIFY_(x)
/// The version as text, for example "0.3.0".
#define ACT_VERSION_STRING                \
  ACT_DETAIL_STRINGIFY(ACT_VERSION_MAJOR) \
  "." ACT_DETAIL_STRINGIFY(ACT_VERSION_MINOR) "." ACT_DETAIL_STRINGIFY(ACT_VERSION_PATCH)

// Inline namespace of everything in act: two versions in one program link side by side. Directly in it are
// the types that units compiled with different flags may pass to each other; what depends on flags lies one
// inline namespace deeper (detail/build.hpp).
#define ACT_DETAIL_ABI_(major, minor) v##major##_##minor
#define ACT_DETAIL_ABI(major, minor) ACT_DETAIL_ABI_(major, minor)
/// For example v0_3.
#define ACT_ABI ACT_DETAIL_ABI(ACT_VERSION_MAJOR, ACT_VERSION_MINOR)
