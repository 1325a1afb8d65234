// The version of act: the one place it is written. CMake and Meson read the three numbers from here.
#pragma once

#define ACT_VERSION_MAJOR 0
#define ACT_VERSION_MINOR 1
#define ACT_VERSION_PATCH 0

#define ACT_DETAIL_STRINGIFY_(x) #x
#define ACT_DETAIL_STRINGIFY(x) ACT_DETAIL_STRINGIFY_(x)
#define ACT_VERSION_STRING                \
  ACT_DETAIL_STRINGIFY(ACT_VERSION_MAJOR) \
  "." ACT_DETAIL_STRINGIFY(ACT_VERSION_MINOR) "." ACT_DETAIL_STRINGIFY(ACT_VERSION_PATCH)

// Inline namespace of everything in act: two versions in one program link side by side.
#define ACT_ABI v0
