#!/usr/bin/env bash
# clang-tidy's allow-list (.clang-tidy) over the libraries, the programs and every door of the core; any finding fails.
# What preset `tidy` would also build, the tests, is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset tidy >/dev/null
mapfile -t sources < <(git ls-files 'src/act/*.cpp' 'examples/*/*.cpp' 'tests/headers/every_door.cpp' |
  grep -v -e '^examples/torch_cuda/' -e '^examples/dispatch/')
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy-14 --quiet -p build/tidy 2>/dev/null ||
  { echo "tests/tidy.sh: the findings above fail" >&2; exit 1; }
echo "tests/tidy.sh: ${#sources[@]} sources, no finding"
