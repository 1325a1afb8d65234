#!/usr/bin/env bash
# Fails on a file that clang-format 14 would change (.clang-format), and names it.  tests/format.sh
# Compares what it prints: its own --dry-run also reports files that it leaves as they are.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(git ls-files '*.hpp' '*.cpp' '*.cuh' '*.cu')
status=0
for file in "${files[@]}"; do
  clang-format-14 "$file" | cmp -s - "$file" || { echo "tests/format.sh: $file: run clang-format-14 -i on it" >&2; status=1; }
done
[ $status -ne 0 ] || echo "tests/format.sh: ${#files[@]} files are formatted"
exit $status
