#!/usr/bin/env bash
# Fails on a file that clang-format 14 would change (.clang-format), and names it.  tests/format.sh
# Compares what it makes of a copy: its own --dry-run also reports files that it leaves as they are. All at once: most of
# what a call costs is its start.
set -euo pipefail
cd "$(dirname "$0")/.."
copies=$(mktemp -d)
trap 'rm -rf "$copies"' EXIT
mapfile -t files < <(git ls-files '*.hpp' '*.cpp' '*.cuh' '*.cu')
cp --parents .clang-format "${files[@]}" "$copies"
(cd "$copies" && printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 60 clang-format-14 -i)
status=0
for file in "${files[@]}"; do
  cmp -s "$copies/$file" "$file" || { echo "tests/format.sh: $file: run clang-format-14 -i on it" >&2; status=1; }
done
[ $status -ne 0 ] || echo "tests/format.sh: ${#files[@]} files are formatted"
exit $status
