#!/usr/bin/env bash
# Builds the fuzzers with clang and runs each of them:  tests/fuzz/run.sh [SECONDS_EACH [FOLDER]]
# FOLDER (default build/fuzz) keeps programs, corpora and findings; a later run goes on from its corpora. Exit status 1 when
# there is a finding: its input is in FOLDER/findings, and becomes a test case.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
folder=${2:-build/fuzz}
compiler=${CXX:-clang++-14}
targets=(gguf safetensors tokenizer_json)

flags=(-std=c++20 -O1 -g -Iinclude -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
       -Wl,--wrap=mmap -Wl,--wrap=munmap)
modules=(libpcre2-8)
# The optional libraries, as in the build.
if pkg-config --exists sentencepiece; then modules+=(sentencepiece); flags+=(-DACT_HAS_SENTENCEPIECE); fi
if pkg-config --exists libutf8proc; then modules+=(libutf8proc); flags+=(-DACT_HAS_UTF8PROC); fi
read -ra libraries <<<"$(pkg-config --cflags --libs "${modules[@]}")"

mkdir -p "$folder/findings"
python3 tests/fuzz/make_seeds.py "$folder/corpus"
# All at once: each uses one core.
running=()
trap 'kill "${running[@]}" 2>/dev/null; exit 130' INT TERM
for target in "${targets[@]}"; do
  (
    program=$folder/${target}_fuzz
    "$compiler" "${flags[@]}" "tests/fuzz/${target}_fuzz.cpp" -o "$program" "${libraries[@]}"
    exec "$program" -max_total_time="$seconds" -max_len=16384 -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 \
      -artifact_prefix="$folder/findings/$target-" "$folder/corpus/$target" 2>"$folder/$target.log"
  ) &
  running+=($!)
done
status=0
for i in "${!targets[@]}"; do
  wait "${running[$i]}" || status=1
  echo "== ${targets[$i]}: $seconds s"
  grep -E "^(stat::number_of_executed_units|stat::new_units_added|SUMMARY)|ERROR" "$folder/${targets[$i]}.log" || true
done
exit $status
