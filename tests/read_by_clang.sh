#!/usr/bin/env bash
# clang 14 reads the tests of the compiled layers with our warnings as errors; CI compiles them with g++ alone. Sources of one folder
# are read together (tests/join_sources.py), by the commands of preset `tidy`.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset tidy >/dev/null
mapfile -t sources < <(git ls-files 'tests/*/*_test.cpp' 'tests/*/*/*_test.cpp' | grep -v -e '^tests/cuda/device' -e '^tests/detail/' -e '^tests/examples/llama_cpp/hook')
rm -rf build/tidy/tests
python3 tests/join_sources.py build/tidy/tests --commands build/tidy/compile_commands.json "${sources[@]}" >build/tidy/tests.txt
python3 - build/tidy/tests/compile_commands.json <<'P' | xargs -P "$(nproc)" -d '\n' -n 1 bash -c
import json, sys
for unit in json.load(open(sys.argv[1])):
    print(f"cd {unit['directory']} && {unit['command'].replace(' -o unit.o -c ', ' -fsyntax-only ')}")
P
read=$(awk '$1 != $2 { count += NF - 1 } END { print count }' build/tidy/tests.txt)
echo "tests/read_by_clang.sh: $read of ${#sources[@]} sources without a warning (each that the build compiles)"
