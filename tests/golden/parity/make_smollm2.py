"""What `transformers` computes with the real SmolLM2-135M-Instruct (Q4_1 GGUF), plain and calibrated.

    python make_smollm2.py PATH/SmolLM2-135M-Instruct.Q4_1.gguf

writes smollm2.json beside this script. The vocabulary has 49,152 entries; kept are the 32 largest logits of each
prompt's plain and calibrated results and an even spread over the ids. The prompts are ours.
"""

from __future__ import annotations

import hashlib
import pathlib
import sys

import numpy as np

import act_reference as act
import gguf_llama
from make_tiny_llama import report

HERE = pathlib.Path(__file__).resolve().parent
SPREAD = 160
TOP = 32

PROMPTS = [
    "Hello",
    "The capital of Portugal is",
    "def median(values):\n    values = sorted(values)\n    middle = len(values) // 2\n    return",
    "Classify the sentiment of the user's message into one of the following categories: 'positive' or "
    "'negative'.\n\nSentence: The soup came cold twice, and the third time nobody bothered to bring it at all. "
    "\nSentiment: ",
    "Classify the given questions into the following categories of 'Description', 'Entity', 'Expression', "
    "'Person', 'Number', or 'Location'.\n\nQuestion: In which year did the village lose its 2 stone bridges? \nType: ",
    "Generate the correct answer to the following question.\n\nWhich of these would melt first in a warm room?\n"
    "A. a steel nail\nB. a cube of ice\nC. a wooden spoon\nD. a glass marble\nAnswer:",
    "The lighthouse keeper wrote everything down. On Monday the wind came from the west and 14 ships passed. On "
    "Tuesday there was fog, and he rang the bell every 5 minutes until his arms hurt. On Wednesday a boat brought "
    "flour, lamp oil, two letters and a newspaper from the week before, which he read aloud to the cat. On Thursday "
    "nothing happened at all, and he wrote that down too, in the same careful hand, because a log with a gap in it "
    "is worth less than no log. On Friday the glass fell, the gulls came inland, and by evening the sea stood white "
    "over the rocks. He lit the lamp early. On Saturday morning he counted the panes of the lantern room, found all "
    "of them whole, and wrote",
]

CASES = [
    {"name": "one head", "heads": [[9, 4]], "options": {}},
    {"name": "fifteen heads",
     "heads": [[20, 0], [20, 7], [21, 3], [21, 4], [22, 1], [22, 8], [23, 2], [23, 5], [24, 6], [25, 0], [25, 3],
               [26, 1], [27, 4], [27, 8], [28, 2]],
     "options": {}},
    {"name": "two layers, absolute",
     "heads": [[layer, head] for layer in (5, 17) for head in range(9)],
     "options": {"rule": "absolute", "tau": 0.1}},
    {"name": "layers 2 to 28", "heads": [[layer, head] for layer in range(2, 29) for head in range(9)], "options": {}},
    {"name": "layers 2 to 28, authors", "heads": [[layer, head] for layer in range(2, 29) for head in range(9)],
     "options": {"rule": "absolute", "tau": 0.1, "compatibility": "authors"}},
]


def main():
    path = pathlib.Path(sys.argv[1])
    model, reader = gguf_llama.load(path)
    tokenizer = gguf_llama.smollm_tokenizer(reader)
    size = model.config.vocab_size
    tokens = [tokenizer.encode(text, add_special_tokens=False).ids for text in PROMPTS]

    kept = set(np.linspace(0, size - 1, SPREAD).astype(int).tolist())
    for ids in tokens:
        for case in [{"heads": [], "options": {}}] + CASES:
            logits = act.run(model, ids, case["heads"], act.Options(**case["options"])).logits
            kept.update(logits.topk(TOP if len(case["heads"]) == 0 else 4).indices.tolist())
    kept = sorted(kept)

    prompts = []
    for text, ids in zip(PROMPTS, tokens):
        act.check_plain(model, ids)
        entry, margin = act.golden_prompt(model, ids, CASES, keep=kept)
        prompts.append({"text": text, **entry, "margin": float(f"{min(margin, 1e9):.3g}")})
    document = {
        "model": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "versions": act.versions(),
        "cases": CASES,
        "kept": kept,
        "prompts": prompts,
    }
    act.write_json(HERE / "smollm2.json", document)
    report("smollm2", prompts)
    for p in prompts:
        best = np.argmax(p["plain"]["logits"])
        print(len(p["tokens"]), repr(tokenizer.decode([kept[best]])))


if __name__ == "__main__":
    main()
