#!/usr/bin/env bash
# lm-eval against act-serve, plain and calibrated, beside act-eval on the same samples: docs/serve.md shows what it prints.
#   lm_eval.sh PROGRAMS MODEL HEADS SST2_DEV_TSV FOLDER [SAMPLES]
# Needs `pip install 'lm_eval[api]' transformers` in the Python that is called python; nothing is fetched while it runs.
set -euo pipefail
programs=$1 model=$2 heads=$3 data=$4 folder=$5 samples=${6:-300}
here=$(cd "$(dirname "$0")" && pwd)
export HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 HF_HOME=$folder/huggingface
mkdir -p "$folder"

# The task: act-eval's own prompts of so many sentences.
"$programs/act-eval" --quiet --model "$model" --task sst2 --data "$data" --limit "$samples" --no-final-space \
  --export "lm-eval:$folder/asked" >/dev/null
task=$(python "$here/make_task.py" "$folder/asked/plain/samples_sst2.jsonl" "$folder/task")

echo "== act-eval =="
"$programs/act-eval" --quiet --model "$model" --task jsonl --data "$folder/task/$task.jsonl" --scoring likelihood \
  --heads "$heads" --export "lm-eval:$folder/act"

"$programs/act-serve" --quiet --model "$model" --name smollm2 --heads "$heads" --port 0 >"$folder/serve.txt" &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
until grep -q http "$folder/serve.txt"; do kill -0 $server; sleep 0.1; done
address=$(grep -o 'http://[^ ]*' "$folder/serve.txt")
for name in smollm2 smollm2@act; do
  echo "== lm-eval, $name =="
  rm -rf "$folder/$name"
  python -m lm_eval run --model local-completions --tasks "$task" --include_path "$folder/task" \
    --model_args "model=$name,base_url=$address/v1/completions,num_concurrent=4,max_retries=3" \
    --log_samples --output_path "$folder/$name" 2>"$folder/$name.log" | grep '|'
done
kill -INT $server
wait $server

log() { find "$folder/$1" -name 'samples_*.jsonl'; }
echo "== lm-eval's log-likelihoods beside act-eval's =="
printf 'plain:      ' && python "$here/agree.py" "$(log smollm2)" "$folder/act/plain/samples_jsonl.jsonl"
printf 'calibrated: ' && python "$here/agree.py" "$(log smollm2@act)" "$folder/act/calibrated/samples_jsonl.jsonl"
echo "== act-compare, on what lm-eval logged =="
"$programs/act-compare" "$(log smollm2)" "$(log smollm2@act)"
