#!/usr/bin/env bash
# act-search on two "machines": network namespaces with names and addresses of their own that reach each other by one
# cable (veth) alone. Shows that processes talk over the network, and find what one finds. Needs root, ip and OpenMPI.
#   tests/network_namespaces.sh ACT_SEARCH [PROCESSES]     on the tiny golden model; PROCESSES on both, default 4
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:?usage: tests/network_namespaces.sh ACT_SEARCH [PROCESSES]}")
processes=${2:-4}
folder=$(mktemp -d)
cleanup() {
  ip netns del act-a 2>/dev/null || true
  ip netns del act-b 2>/dev/null || true
  rm -rf "$folder"
}
trap cleanup EXIT

ip netns add act-a
ip netns add act-b
ip link add act-cable-a netns act-a type veth peer name act-cable-b netns act-b
for end in a:1 b:2; do
  ip -n "act-${end%:*}" address add "10.77.0.${end#*:}/24" dev "act-cable-${end%:*}"
  ip -n "act-${end%:*}" link set "act-cable-${end%:*}" up
  ip -n "act-${end%:*}" link set lo up
done

# What mpirun starts its daemon on the other machine with, instead of ssh.
cat >"$folder/agent" <<'AGENT'
#!/bin/sh
shift  # the address
exec ip netns exec act-b unshare --uts sh -c "hostname act-b && $*"
AGENT
chmod +x "$folder/agent"

for i in $(seq 1 120); do
  printf '{"prompt": "the weather of the long road number %d, what people ask and what %d of them say", "options": [" the", " of", " a"], "label": %d}\n' \
    $((i * i)) $((i * 7 % 31)) $((i * 5 % 3))
done >"$folder/data.jsonl"
search=("$program" --model "$PWD/tests/golden/parity/tiny-llama-mixed.gguf" --task "jsonl=$folder/data.jsonl" --samples 0
  --layers 0:-1 --select top:5 --objective likelihood)
"${search[@]}" --out "$folder/alone.json" >/dev/null

bytes() { ip netns exec act-a cat /sys/class/net/act-cable-a/statistics/rx_bytes; }
before=$(bytes)
ip netns exec act-a unshare --uts sh -c 'hostname act-a && exec "$@"' sh \
  mpirun --allow-run-as-root --oversubscribe --bind-to none --host "10.77.0.1:$((processes / 2)),10.77.0.2:$((processes - processes / 2))" \
  --mca plm_rsh_agent "$folder/agent" --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 \
  -x OMP_NUM_THREADS=1 -np "$processes" sh -c 'hostname >&2; exec "$@"' sh "${search[@]}" --state "$folder/both.state" --out "$folder/both.json" \
  2>"$folder/names" | head -1
sort "$folder/names" | uniq -c
cmp "$folder/alone.json" "$folder/both.json"
echo "the same heads file; $(($(bytes) - before)) bytes came over the cable"
