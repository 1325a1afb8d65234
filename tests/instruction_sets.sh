#!/usr/bin/env bash
# The core's tests for each instruction set: SSE2, AVX2 with FMA, AVX-512, and NEON under qemu-user. What this machine
# cannot run is skipped by name.
#   tests/instruction_sets.sh [sse2|avx2|avx2-sanitized|avx512|aarch64]...     all of them by default
# ARM needs `third_party/install.sh --cross`. Built in build/NAME, by the presets of the same names.
set -euo pipefail
cd "$(dirname "$0")/.."

# The processor's features that each set needs, as the kernel lists them.
declare -A needed=(
  [sse2]="sse2" [avx2]="avx2 fma f16c bmi2" [avx2-sanitized]="avx2 fma f16c bmi2"
  [avx512]="avx512f avx512bw avx512cd avx512dq avx512vl" [aarch64]=""
)
has_all() {
  for feature in "$@"; do
    grep -qwE "^flags.*$feature" /proc/cpuinfo || return 1
  done
}

[ $# -gt 0 ] || set -- sse2 avx2 avx2-sanitized avx512 aarch64
for name in "$@"; do
  [ -n "${needed[$name]+known}" ] || { echo "tests/instruction_sets.sh: unknown instruction set $name" >&2; exit 2; }
  started=$SECONDS
  # shellcheck disable=SC2086
  if ! has_all ${needed[$name]}; then
    echo "$name: [skipped] this processor lacks one of: ${needed[$name]}"
  elif [ "$name" = aarch64 ] && ! { command -v aarch64-linux-gnu-g++ && command -v qemu-aarch64; } >/dev/null; then
    echo "$name: [skipped] needs aarch64-linux-gnu-g++ and qemu-aarch64: third_party/install.sh --cross"
  else
    cmake --workflow --preset "$name"
    echo "$name: passed in $((SECONDS - started)) s"
  fi
done
