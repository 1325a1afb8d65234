#!/usr/bin/env bash
# clang-tidy's allow-list (.clang-tidy) over the libraries, the programs and every door of the core; any finding fails.
# What preset `tidy` would also build, the tests, is left out. Neighbouring sources are read together (tests/join_sources.py),
# and each by itself where that finds anything: names of two sources may clash.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset tidy >/dev/null
mapfile -t sources < <(git ls-files 'src/act/*.cpp' 'examples/*/*.cpp' 'tests/headers/every_door.cpp' |
  grep -v -e '^examples/torch_cuda/' -e '^examples/dispatch/' |
  # needs llama.cpp, which isn't there
  grep -v -E '^examples/llama_cpp/([a-z_]+|python/act_llama|hook/attention_hook)\.cpp$')
check_unit() {
  local unit=$1
  shift
  if [ "$unit" != "$1" ] && clang-tidy-14 --quiet --config-file=.clang-tidy -p build/tidy/units "$unit" >/dev/null 2>&1; then return; fi
  [ "$unit" = "$1" ] || echo "tests/tidy.sh: each of ${unit##*/} by itself"
  clang-tidy-14 --quiet -p build/tidy "$@" 2>/dev/null
}
export -f check_unit
rm -rf build/tidy/units
python3 tests/join_sources.py build/tidy/units --commands build/tidy/compile_commands.json "${sources[@]}" >build/tidy/units.txt
xargs -P "$(nproc)" -L 1 bash -c 'check_unit "$@"' - <build/tidy/units.txt ||
  { echo "tests/tidy.sh: the findings above fail" >&2; exit 1; }
echo "tests/tidy.sh: ${#sources[@]} sources, no finding"
