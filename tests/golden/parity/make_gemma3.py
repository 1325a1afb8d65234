"""What `transformers` computes with the real Gemma 3 270M (Q4_K_M GGUF, weights expanded), plain and calibrated.

    python make_gemma3.py PATH/gemma-3-270m-q4_k_m.gguf

writes gemma3.json beside this script. Kept of the 262,144 logits are the largest of each prompt's results and an even
spread. Prompts are token ids: text of ours as the file's SentencePiece model splits it, and one beyond the window of 512.
"""

from __future__ import annotations

import hashlib
import pathlib
import sys

import numpy as np
import torch

import act_reference as act
import gguf_gemma3
from make_tiny_llama import report

HERE = pathlib.Path(__file__).resolve().parent
SPREAD = 120
TOP = 24

# "The capital of Portugal is"; a question of make_smollm2.py's; ids without meaning, longer than the window.
PROMPTS = [
    [2, 818, 5279, 529, 23613, 563],
    [2, 4335, 1891, 506, 27078, 529, 506, 2430, 236789, 236751, 3618, 1131, 886, 529, 506, 2269, 12669, 236787, 756, 30558,
     236789, 653, 756, 27851, 6748, 108, 138895, 236787, 669, 18987, 3588, 7445, 10911, 236764, 532, 506, 4168, 990, 24063,
     63362, 531, 3437, 625, 657, 784, 236761, 236743, 107, 203481, 236787, 236743],
    [2] + [int(i) for i in np.random.default_rng(5).integers(600, 60000, 640)],
]

CASES = [
    {"name": "one head", "heads": [[9, 1]], "options": {}},
    {"name": "global layers", "heads": [[layer, head] for layer in (5, 11, 17) for head in range(4)], "options": {}},
    {"name": "layers 2 to 16", "heads": [[layer, head] for layer in range(2, 17) for head in range(4)],
     "options": {"beta": 0.7}},
]


def main():
    torch.set_num_threads(2)
    path = pathlib.Path(sys.argv[1])
    model, _ = gguf_gemma3.load(path)
    size = model.config.vocab_size
    kept = set(np.linspace(0, size - 1, SPREAD).astype(int).tolist())
    for ids in PROMPTS:
        for case in [{"heads": [], "options": {}}] + CASES:
            logits = act.run(model, ids, case["heads"], act.Options(**case["options"])).logits
            kept.update(logits.topk(TOP if len(case["heads"]) == 0 else 4).indices.tolist())
    kept = sorted(kept)
    prompts = []
    for ids in PROMPTS:
        act.check_plain(model, ids)
        entry, margin = act.golden_prompt(model, ids, CASES, keep=kept)
        for part in [entry["plain"], *entry["calibrated"]]:
            part.pop("sinks", None)
        prompts.append({**entry, "margin": float(f"{min(margin, 1e9):.3g}")})
    act.write_json(HERE / "gemma3.json", {
        "model": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "versions": act.versions(),
        "cases": CASES, "kept": kept, "prompts": prompts})
    for p in prompts:
        print(len(p["tokens"]), p["margin"], kept[int(np.argmax(p["plain"]["logits"]))])


if __name__ == "__main__":
    main()
