"""Column scores of every head, as `transformers` computes the attention: the golden of tests/inspection.

    python make_golden.py [tests/golden/parity]

writes golden.json beside this script. Eager attention in float32 with `output_attentions`; the scores are summed
in float64. The checkpoints and their prompts are those of the parity goldens (../parity).
"""

from __future__ import annotations

import json
import pathlib
import sys

import torch
import transformers
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
PARITY = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "parity"
sys.path.insert(0, str(PARITY))

# Grouped heads with interleaved and with split rotary pairs, learned positions, a projected embedding.
MODELS = ("tiny-llama-mixed.gguf", "tiny-llama-old-config", "tiny-opt-prenorm", "tiny-opt-postnorm")
LONGEST = 40  # tokens; keeps the file small


def load(path: pathlib.Path):
    if path.suffix == ".gguf":
        import gguf_llama

        return gguf_llama.load(path)[0].eval()
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()


def prompts_of(name: str) -> list[list[int]]:
    path = PARITY / name
    golden = path.with_suffix(".json") if path.suffix == ".gguf" else path / "golden.json"
    return [p["tokens"] for p in json.loads(golden.read_text(encoding="utf-8"))["prompts"]]


@torch.no_grad()
def scores_of(model, tokens: list[int]) -> list[list[list[float]]]:
    """[layer][head][position]: the mean weight from the rows that see the position."""
    model.set_attn_implementation("eager")
    maps = model(input_ids=torch.tensor([tokens]), output_attentions=True, use_cache=False).attentions
    rows = torch.arange(len(tokens), 0, -1, dtype=torch.float64)
    return [[[float(f"{v:.7g}") for v in head.double().sum(0) / rows] for head in layer[0]] for layer in maps]


def main() -> None:
    entries = []
    for name in MODELS:
        model = load(PARITY / name)
        for tokens in prompts_of(name):
            if len(tokens) <= LONGEST:
                entries.append({"model": name, "tokens": tokens, "scores": scores_of(model, tokens)})
    versions = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
    lines = ",\n".join("  " + json.dumps(e, separators=(",", ":")) for e in entries)
    text = f'{{"versions": {json.dumps(versions)},\n "prompts": [\n{lines}\n ]}}\n'
    (HERE / "golden.json").write_text(text, encoding="utf-8")
    print(f"{len(entries)} prompts, {len(text)} bytes")


if __name__ == "__main__":
    main()
