# What Doxygen reads instead of a public header, line by line: its opening comment as the page of the file, and names
# without the inline namespaces of version and build, act::calibrate and not act::v0_3::built_avx2::calibrate.
s/::inline ACT_ABI//
s/::inline ACT_BUILD//
1,/^#pragma once/ {
  s,^//   ,//       ,
  s,^//,///,
  s,^#pragma once,/// @file,
}
