#!/usr/bin/env bash
# The demo: finds heads whose calibration helps to tell six kinds of question apart, on 110 labelled questions; scores 200
# others plain and calibrated; then tries the same heads on another task.
#   examples/demo/demo.sh [--programs FOLDER] [--model FILE] [--out FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."

programs=build/demo/examples
model=
out=build/demo-results
while [ $# -gt 0 ]; do
  case "$1" in
    --programs) programs=$2; shift 2 ;;
    --model) model=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    *) echo "usage: $0 [--programs FOLDER] [--model FILE] [--out FOLDER]" >&2; exit 2 ;;
  esac
done

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
