"""Log-probabilities of texts, plain and calibrated, as PyTorch computes them.

    python make_golden.py

writes golden.json beside this script, from ../parity/tiny-llama-mixed.gguf and text.txt:

  * families: texts that begin alike (as a question and its possible answers do) with the sum of the
    log-probabilities of their last tokens;
  * perplexity: of text.txt in sliding windows, which are found here by the usual loop, not by the library's.

The attention is the one of ../parity/act_reference.py; each text or window is one whole map. Texts are drawn
until every column score stays clear of its threshold, so that rounding can't change which keys are sinks.
"""

from __future__ import annotations

import json
import math
import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "parity"))

import act_reference as act  # noqa: E402
import gguf_llama  # noqa: E402

MODEL = "tiny-llama-mixed.gguf"
HEADS = [[1, 0], [1, 2], [2, 3], [3, 1]]
MARGIN = 1e-4


@torch.no_grad()
def log_probabilities(model, tokens, heads):
    """log p of tokens[1:], each after those before it, float64; and the smallest margin of a sink."""
    act._plan.heads = {tuple(pair) for pair in heads}
    act._plan.options, act._plan.observe_all = act.Options(), False
    act._plan.observed, act._plan.margin = {}, math.inf
    model.set_attn_implementation("act_reference")
    logits = model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0].double()
    each = torch.log_softmax(logits[:-1], -1)
    targets = torch.tensor(tokens[1:])
    return each[torch.arange(len(targets)), targets], act._plan.margin


def both(model, tokens, first):
    plain, _ = log_probabilities(model, tokens, [])
    calibrated, margin = log_probabilities(model, tokens, HEADS)
    return float(plain[first - 1 :].sum()), float(calibrated[first - 1 :].sum()), margin


def families(model):
    generator = torch.Generator().manual_seed(7)

    def draw(count):
        return torch.randint(3, model.config.vocab_size, (count,), generator=generator).tolist()

    made = []
    for context, tails in ((1, (1, 3)), (12, (4, 1, 7)), (40, (2, 2, 9, 30)), (90, (5,))):
        while True:
            begin = draw(context)
            texts, clear = [], True
            for length in tails:
                tokens = begin + draw(length)
                plain, calibrated, margin = both(model, tokens, context)
                clear = clear and margin > MARGIN
                texts.append(
                    {"tokens": tokens, "first_scored": context, "plain": plain, "calibrated": calibrated}
                )
            if clear:
                made.append(texts)
                break
    return made


def perplexity(model, tokens, context, stride):
    sums, counted, scored_until, margin = [0.0, 0.0], 0, 1, math.inf
    for begin in range(0, len(tokens), stride):
        end = min(begin + context, len(tokens))
        first = max(scored_until, begin + 1)
        if first < end:
            plain, calibrated, here = both(model, tokens[begin:end], first - begin)
            sums = [sums[0] + plain, sums[1] + calibrated]
            counted += end - first
            margin = min(margin, here)
        scored_until = end
        if end == len(tokens):
            break
    return {
        "context": context,
        "stride": stride,
        "counted": counted,
        "plain": math.exp(-sums[0] / counted),
        "calibrated": math.exp(-sums[1] / counted),
    }, margin


def main():
    model, reader = gguf_llama.load(HERE.parent / "parity" / MODEL)
    tokens = gguf_llama.smollm_tokenizer(reader).encode((HERE / "text.txt").read_text(), add_special_tokens=False).ids
    windows = []
    for context, stride in ((32, 16), (32, 32), (50, 10), (64, 48)):
        entry, margin = perplexity(model, tokens, context, stride)
        assert margin > MARGIN, (context, stride, margin)
        windows.append(entry)
    document = {
        "model": MODEL,
        "versions": act.versions(),
        "heads": HEADS,
        "tokens": len(tokens),
        "perplexity": windows,
        "families": families(model),
    }
    lines = ",\n".join(f' "{key}": {json.dumps(value)}' for key, value in document.items())
    (HERE / "golden.json").write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
