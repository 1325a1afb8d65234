#!/usr/bin/env bash
# Builds the fuzzers with clang and runs each of them:  tests/fuzz/run.sh [SECONDS_EACH [FOLDER]]
# FOLDER (default build/fuzz) keeps programs, corpora and findings; a later run goes on from its corpora. Exit status 1 when
# there is a finding: its input is in FOLDER/findings, and becomes a test case.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
folder=${2:-build/fuzz}
compiler=${CXX:-clang++-14}
targets=(chat_template gguf gguf_split pickle pytorch_file quantization safetensors tokenizer_folder tokenizer_json)

flags=(-std=c++20 -O1 -g -Iinclude -Isrc -fsanitize=address,undefined -fno-sanitize-recover=all)
modules=(libpcre2-8 libmd)
# The optional libraries, as in the build.
if pkg-config --exists sentencepiece; then modules+=(sentencepiece); flags+=(-DACT_HAS_SENTENCEPIECE); fi
if pkg-config --exists libzip; then modules+=(libzip); flags+=(-DACT_HAS_LIBZIP); fi
if pkg-config --exists libutf8proc; then modules+=(libutf8proc); flags+=(-DACT_HAS_UTF8PROC); fi
read -ra includes <<<"$(pkg-config --cflags "${modules[@]}")"
read -ra libraries <<<"$(pkg-config --libs "${modules[@]}")"

# What is fuzzed: everything that reads model files. A folder's sources are compiled together, unless their names clash.
mkdir -p "$folder/objects"
rm -f "$folder/objects"/*
python3 tests/join_sources.py "$folder/objects" src/act/{io,runtime/checkpoint,runtime/jinja,runtime/tokenizer}/*.cpp \
  src/act/runtime/{,own_}chat_template.cpp >"$folder/units.txt"
compile_unit() {
  local unit=$1 source
  shift
  if $compiling -c "$unit" -o "${unit%.cpp}.o" 2>/dev/null; then return; fi
  echo "tests/fuzz/run.sh: each of ${unit##*/} by itself"
  for source in "$@"; do
    $compiling -c "$source" -o "${unit%.cpp}.$(basename "$source" .cpp).o" || return
  done
}
export -f compile_unit
export compiling="$compiler ${flags[*]} -fsanitize=fuzzer-no-link ${includes[*]}"
xargs -P "$(nproc)" -L 1 bash -c 'compile_unit "$@"' - <"$folder/units.txt"

mkdir -p "$folder/findings"
python3 tests/fuzz/make_seeds.py "$folder/corpus"
# All at once: each uses one core.
running=()
trap 'kill "${running[@]}" 2>/dev/null; exit 130' INT TERM
for target in "${targets[@]}"; do
  (
    program=$folder/${target}_fuzz
    wrapped=()
    if grep -q one_input.hpp "tests/fuzz/${target}_fuzz.cpp"; then wrapped=(-Wl,--wrap=mmap -Wl,--wrap=munmap); fi
    "$compiler" "${flags[@]}" -Itests -fsanitize=fuzzer "${wrapped[@]}" "${includes[@]}" \
      "tests/fuzz/${target}_fuzz.cpp" "$folder"/objects/*.o -o "$program" "${libraries[@]}"
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
