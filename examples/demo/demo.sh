#!/usr/bin/env bash
# The demo: finds heads whose calibration helps to tell six kinds of question apart, on 110 labelled questions; scores 200
# others plain and calibrated; then tries the same heads on another task.
#   examples/demo/demo.sh [--programs FOLDER] [--model FILE] [--out FOLDER]
set -euo pipefail
usage="usage: $0 [--programs FOLDER] [--model FILE] [--out FOLDER]"
root=$(cd "$(dirname "$0")/../.." && pwd)

programs=$root/build/demo/examples
model=
out=$root/build/demo-results
while [ $# -gt 0 ]; do
  case "$1" in
    --help) echo "$usage"; exit 0 ;;
    --programs | --model | --out)
      if [ $# -lt 2 ]; then echo "$0: $1 needs a value; $usage" >&2; exit 2; fi
      printf -v "${1#--}" %s "$(realpath -m -- "$2")"
      shift 2 ;;
    *) echo "$usage" >&2; exit 2 ;;
  esac
done
if [ ! -x "$programs/act-search" ]; then
  echo "$0: no programs in $programs; build them with: cmake --workflow --preset demo" >&2
  exit 1
fi
cd "$root"  # paths inside the project read shorter from here
out=${out#"$root"/}
programs=${programs#"$root"/}
model=${model#"$root"/}

if [ -z "$model" ]; then
  third_party/fetch_model.sh
  model=models/SmolLM2-135M-Instruct.Q4_1.gguf
fi
mkdir -p "$out"
data=examples/demo

echo
echo "== 1. Which heads of the last third of the layers help, judged by 110 labelled questions? =="
"$programs/act-search" --model "$model" --task trec=$data/questions-search.txt --samples 0 --layers 20:-2 \
  --select top:15 --objective likelihood --out "$out/heads.json" --json "$out/search.json" >"$out/search.txt"
sed '/^A search of all layers/,$d' "$out/search.txt"

echo "== 2. 200 other questions, plain and with these heads calibrated =="
"$programs/act-eval" --model "$model" --task trec --data $data/questions-test.txt --heads "$out/heads.json" \
  --json "$out/questions.json" --predictions "$out/questions.jsonl"

echo
echo "== 3. Do the same heads help a task they were not found on? 200 sentences, positive or negative =="
"$programs/act-eval" --model "$model" --task sst2 --data $data/sentiment-test.tsv --heads "$out/heads.json" \
  --json "$out/sentiment.json" --predictions "$out/sentiment.jsonl"

echo
echo "Heads, results and predictions are in $out."
sed -n '/^A search of all layers/,$p' "$out/search.txt" | sed "s| act-search | $programs/act-search |"
